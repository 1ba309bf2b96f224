"""The slow obvious twin of `due_at`: a walk, minute by minute, with the time zones of the standard library."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engine.model.time import MINUTE

if TYPE_CHECKING:
    from engine.rules.resolved.timing import Calendar

_MINUTE = timedelta(minutes=1)


def due_by_walking(start: datetime, calendar: Calendar, *, minutes: int = 0, days: int = 0) -> datetime:
    """`start` on a whole minute; hours and offsets too."""
    if days:
        return _days_on(start, calendar, days)
    moment = start
    while not _works(moment, calendar):
        moment += _MINUTE
    while minutes:
        minutes -= _works(moment, calendar)
        moment += _MINUTE
    return moment


def _works(moment: datetime, calendar: Calendar) -> bool:
    """Whether the minute that begins at `moment` is worked."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    minute = (local.hour * 60 + local.minute) * MINUTE
    return any(begin <= minute < end for begin, end in _stretches(local.date(), calendar))


def _stretches(day: date, calendar: Calendar) -> tuple[tuple[int, int], ...]:
    return () if day.isoformat() in calendar.holidays else calendar.week[day.weekday()]


def _days_on(start: datetime, calendar: Calendar, days: int) -> datetime:
    local = start.astimezone(ZoneInfo(calendar.zone))
    day = local.date()
    while days:
        day += timedelta(days=1)
        days -= bool(_stretches(day, calendar))
    wanted = datetime.combine(day, local.time())
    moment = start
    while moment.astimezone(ZoneInfo(calendar.zone)).replace(tzinfo=None, fold=0) < wanted:
        moment += _MINUTE
    while not (_works(moment, calendar) or _works(moment - _MINUTE, calendar)):
        moment += _MINUTE
    return moment


def utc(text: str) -> datetime:
    """A time as written, in UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
