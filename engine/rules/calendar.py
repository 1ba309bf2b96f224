"""Time zones as plain numbers: when the offset from UTC changes, and when each local day begins.

Reading time zone data (the system's, or that of the package `tzdata`) is the one thing here that touches files beside
`source.py`. The rule set carries the transitions, so whoever runs it reads none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

from engine.model.time import DAY, from_datetime
from engine.rules.resolved.timing import Period, ZoneTransition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PERIODS: Final[tuple[Period, ...]] = get_args(Period)
LONGEST: Final[dict[Period, int]] = {"week": 7, "month": 31, "quarter": 92, "year": 366}
"""Days that a period has at most."""
FIRST_DAY = datetime(1990, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2060, 1, 1, tzinfo=UTC)

# No zone changes its offset twice within four days from 1990 to 2060 (compared once with strides of 12 hours).
_STRIDE = timedelta(days=4)
_MARGIN = timedelta(days=2)
_EXACT = timedelta(seconds=1)
_MACHINE_DEPENDENT = frozenset({"localtime", "Factory"})


def zone_exists(zone: str) -> bool:
    """Whether `zone` names a time zone that is the same on every machine."""
    if zone in _MACHINE_DEPENDENT:
        return False
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a folder of the data (`America`) or a name that no file can have.
        return False
    return True


def zone_names() -> set[str]:
    """Every time zone that there is; slow, for suggestions."""
    return available_timezones() - _MACHINE_DEPENDENT


@cache
def transitions(zone: str) -> tuple[ZoneTransition, ...]:
    """The offsets of `zone` from 1990 to 2060, the first from before the first local day on.

    Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    info = ZoneInfo(zone)
    moment = FIRST_DAY - _MARGIN
    found = [_transition(moment, info)]
    while moment < LAST_DAY + _MARGIN:
        following = moment + _STRIDE
        if _offset(following, info) != _offset(moment, info):
            found.append(_transition(_change_between(moment, following, info), info))
        moment = following
    return tuple(found)


def day_starts(transitions: Sequence[ZoneTransition]) -> NDArray[np.int64]:
    """The UTC microseconds at which each local day begins, from 1990-01-01 to 2060-01-01 (both included).

    Where midnight does not exist, the day begins at its first instant; where it comes twice, at the first of the two.
    A day that a zone left out begins and ends at the same instant.
    """
    starts = np.array([transition.start for transition in transitions], np.int64)
    offsets = np.array([transition.offset for transition in transitions], np.int64)
    midnights = np.arange(from_datetime(FIRST_DAY), from_datetime(LAST_DAY) + 1, DAY, dtype=np.int64)
    local_ends = starts[1:] + offsets[:-1]
    place = np.searchsorted(local_ends, midnights, side="right")
    begins: NDArray[np.int64] = np.maximum(midnights - offsets[place], starts[place])
    return begins


def period_firsts(period: Period) -> list[int]:
    """By local day, counted as `day_starts` counts them: which day began its week (a Monday), month, quarter or year.

    The same in all zones: days are counted, not hours. A period that began before the first day begins with it.
    """
    firsts, first = [], 0
    for index in range((LAST_DAY - FIRST_DAY).days + 1):
        if _begins(period, FIRST_DAY + timedelta(days=index)):
            first = index
        firsts.append(first)
    return firsts


def _begins(period: Period, day: datetime) -> bool:
    match period:
        case "week":
            return day.weekday() == 0
        case "month":
            return day.day == 1
        case "quarter":
            return day.day == 1 and day.month % 3 == 1
        case "year":
            return day.day == 1 and day.month == 1


def _change_between(before: datetime, after: datetime, info: ZoneInfo) -> datetime:
    """The first second with the offset of `after`, given one change between the two."""
    old = _offset(before, info)
    while after - before > _EXACT:
        middle = before + (after - before) // (2 * _EXACT) * _EXACT
        if _offset(middle, info) == old:
            before = middle
        else:
            after = middle
    return after


def _transition(moment: datetime, info: ZoneInfo) -> ZoneTransition:
    return ZoneTransition(from_datetime(moment), _offset(moment, info) // timedelta(microseconds=1))


def _offset(moment: datetime, info: ZoneInfo) -> timedelta:
    return moment.astimezone(info).utcoffset() or timedelta()
