"""When something is due: so long after a moment, on the clock or in the working time of a calendar.

Integers only, on the zones and calendars that the rule set carries: no time zone data is read.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from engine.model.time import DAY, Micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.rules.resolved.timing import Calendar, Due, ZoneTransition
    from engine.rules.ruleset import RuleSet

DUE_WITHIN: Micros = 400 * DAY
"""No working time is due later than this; what could be is refused when rules are checked."""

_FURTHEST: Micros = 2 * DUE_WITHIN
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = date(1970, 1, 1).weekday()
_WEEK = 7

Stretch = tuple[Micros, Micros]


def due_at(start: Micros, due: Due, rules: RuleSet) -> Micros:
    """The moment that lies `due` after `start`, never before it.

    1. Without a calendar it is `micros` (and `days` of 24 hours) later on the clock.
    2. With a calendar, working time is every instant whose wall clock in the calendar's zone lies in a stretch of its
       weekday, on a date that is no holiday: an hour that the clock skips is none, one that comes twice counts twice.
    3. `micros` is that much working time as it really elapses, and the moment is the one at which the last of it ends.
    4. `days` is that many working dates later (dates with stretches that are no holidays; that of `start` is not
       counted) at the same time of day, and where that is outside the hours, the next working moment: the end of a
       stretch is still within it, a time that the clock skips is the end of the gap, one that comes twice the first.
    5. A calendar that the rule set lacks, or by which nobody works again, gives the moment 800 days on: the checks
       refuse such declarations, and nothing is raised at run time.
    """
    if due.calendar is None:
        return start + due.micros + due.days * DAY
    calendar = next((each for each in rules.calendars if each.id == due.calendar), None)
    if calendar is None:
        return start + _FURTHEST
    clock = _Clock(_days_of(calendar), rules.zones.get(calendar.zone, ()))
    return clock.days_on(start, due.days) if due.days else clock.time_on(start, due.micros)


def local_offset(moment: Micros, zone: Sequence[ZoneTransition]) -> Micros:
    """What local time is ahead of UTC by; before the first transition that is known, as after it."""
    return zone[max(transitions_passed(moment, zone) - 1, 0)].offset if zone else 0


def transitions_passed(moment: Micros, zone: Sequence[ZoneTransition]) -> int:
    """How many of the transitions lie at or before the moment."""
    return bisect_right(zone, moment, key=attrgetter("start"))


def working_from(calendar: Calendar, moment: Micros, rules: RuleSet) -> Micros:
    """The first instant of working time from `moment` on, which may be `moment`; 800 days on where there is none."""
    clock = _Clock(_days_of(calendar), rules.zones.get(calendar.zone, ()))
    return next((begin for begin, _ in clock.working(moment)), moment + _FURTHEST)


class WorkingDays(NamedTuple):
    """A calendar with its dates as numbers: days since 1970-01-01."""

    week: tuple[tuple[Stretch, ...], ...]
    holidays: frozenset[int]

    def stretches(self, day: int) -> tuple[Stretch, ...]:
        """The local stretches of a date; none on a holiday."""
        return () if day in self.holidays else self.week[(day + _EPOCH_WEEKDAY) % _WEEK]


@lru_cache(maxsize=64)
def _days_of(calendar: Calendar) -> WorkingDays:
    return WorkingDays(calendar.week, frozenset(day_number(holiday) for holiday in calendar.holidays))


def day_number(written: str) -> int:
    """Days from 1970-01-01 to a date as written, which a check has looked at."""
    return number_of(date.fromisoformat(written))


def number_of(day: date) -> int:
    """Days from 1970-01-01 to a date."""
    return day.toordinal() - _EPOCH_DAY


def date_of(number: int) -> date:
    """The date so many days from 1970-01-01."""
    return date.fromordinal(number + _EPOCH_DAY)


class _Clock(NamedTuple):
    """The working time of a calendar on the time line."""

    days: WorkingDays
    zone: Sequence[ZoneTransition]

    def time_on(self, start: Micros, remaining: Micros) -> Micros:
        for begin, end in self.working(start):
            if end - begin >= remaining:
                return begin + remaining
            remaining -= end - begin
        return start + _FURTHEST

    def days_on(self, start: Micros, days: int) -> Micros:
        day, time_of_day = divmod(start + local_offset(start, self.zone), DAY)
        for following in range(day + 1, day + 1 + _FURTHEST // DAY):
            days -= bool(self.days.stretches(following))
            if days == 0:
                return self._working_moment(self._instant(following * DAY + time_of_day, start))
        return start + _FURTHEST

    def _working_moment(self, moment: Micros) -> Micros:
        """`moment` where it lies within working time or at the end of some, else the next that does."""
        for begin, _ in self.working(moment - 1):
            return max(begin, moment)
        return moment + _FURTHEST

    def working(self, start: Micros) -> Iterator[Stretch]:
        """Stretches of working time from `start` on, in order of time, none of them empty."""
        stop = start + _FURTHEST
        for since, until, offset in self._offsets(start, stop):
            for day in range((since + offset) // DAY, (until - 1 + offset) // DAY + 1):
                midnight = day * DAY - offset
                for begin, end in self.days.stretches(day):
                    first, last = max(midnight + begin, since), min(midnight + end, until)
                    if first < last:
                        yield first, last

    def _offsets(self, start: Micros, stop: Micros) -> Iterator[tuple[Micros, Micros, Micros]]:
        """What is in force from `start` to `stop`, as (since, until, offset)."""
        since, offset = start, local_offset(start, self.zone)
        for transition in self.zone[transitions_passed(start, self.zone) :]:
            if transition.start >= stop:
                break
            yield since, transition.start, offset
            since, offset = transition.start, transition.offset
        yield since, stop, offset

    def _instant(self, local: Micros, after: Micros) -> Micros:
        """When the clock shows `local`, not before `after`: the first time, or the end of the gap that skips it."""
        for since, until, offset in self._offsets(after, local + 2 * DAY):
            if local - offset < until:
                return max(local - offset, since)
        return local
