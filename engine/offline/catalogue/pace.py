"""The straight line to a target: from where it began, since when, to its value at its deadline. Dates are UTC's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from engine.model.time import DAY, SECOND, Micros, from_datetime

if TYPE_CHECKING:
    from engine.rules.resolved.catalogue import Direction, Target

_MONTHS = {"month-end": 1, "quarter-end": 3, "year-end": 12}
_YEAR = 12


class Line(NamedTuple):
    """From `start` at `since` to `value` at `until`."""

    start: float
    value: float
    since: Micros
    until: Micros

    def at(self, moment: Micros) -> float:
        """Where a KPI on this line is."""
        share = min(max((moment - self.since) / (self.until - self.since), 0.0), 1.0)
        return self.start * (1.0 - share) + self.value * share


def line_to(target: Target, moment: Micros) -> Line | str:
    """The line that holds at `moment`; where there is none, why not.

    A deadline that comes again has the period in which `moment` lies. One with a date has the time since the target was
    last reviewed.
    """
    if target.start is None:
        return "its target does not say where it began (`start`)"
    months = _MONTHS.get(target.by)
    if months is not None:
        return Line(target.start, target.value, *_period(moment, months))
    until = instant(target.by) + DAY
    if target.reviewed is None or instant(target.reviewed) >= until:
        return "its target does not say since when (`reviewed`)"
    return Line(target.start, target.value, instant(target.reviewed), until)


def instant(written: str) -> Micros:
    """When a date as written begins."""
    return from_datetime(datetime.combine(date.fromisoformat(written), datetime.min.time(), UTC))


def date_of(moment: Micros) -> str:
    """The date of a moment."""
    return datetime.fromtimestamp(moment // SECOND, UTC).date().isoformat()


def has_reached(value: float, wanted: float, direction: Direction) -> bool:
    """Whether a value is at or past another in the good direction; never where neither way is better."""
    if direction == "in_band":
        return False
    return value >= wanted if direction == "higher_is_better" else value <= wanted


def _period(moment: Micros, months: int) -> tuple[Micros, Micros]:
    today = date.fromisoformat(date_of(moment))
    first = (today.month - 1) // months * months
    begin = date(today.year, first + 1, 1)
    end = date(today.year + (first + months) // _YEAR, (first + months) % _YEAR + 1, 1)
    return instant(begin.isoformat()), instant(end.isoformat())
