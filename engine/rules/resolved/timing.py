"""How time is cut and owed: windows, due times and the calendars that they count in.

Durations and times are integer microseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.model.time import Micros

Period = Literal["week", "month", "quarter", "year"]
"""What windows can begin with."""
ReportingPeriod = Literal["month", "quarter", "year"]
"""What numbers are closed by."""


class Window(msgspec.Struct, frozen=True):
    """How event time is cut. `size` = `step` is tumbling, `size` a multiple of `step` hopping.

    `zone` set means calendar days in that time zone (`size` and `step` are then one day, nominally); with `since`, each
    window begins with the first day of that period and ends with its own day.
    """

    size: Micros
    step: Micros
    zone: str | None = None
    since: Period | None = None

    @property
    def overlaps(self) -> bool:
        """Whether a measurement counts in several windows."""
        return self.size != self.step or self.since is not None


class Due(msgspec.Struct, frozen=True):
    """How long from one moment to another: `micros` on the clock, or within `calendar` that much working time, or so
    many working `days`.
    """

    micros: Micros = 0
    days: int = 0
    calendar: str | None = None


class Calendar(msgspec.Struct, frozen=True):
    """When people work: for each weekday, Monday first, stretches of local time since midnight in `zone`; and the
    dates (YYYY-MM-DD) on which they do not.
    """

    id: str
    zone: str
    week: tuple[tuple[tuple[Micros, Micros], ...], ...]
    holidays: tuple[str, ...] = ()


class ZoneTransition(msgspec.Struct, frozen=True, array_like=True):
    """From `start` (UTC, microseconds) on, local time is UTC plus `offset` (microseconds)."""

    start: Micros
    offset: Micros
