"""What a picture of a trigger shows: panels of numbers over time, or rows of stretches, and the moments that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.time import DAY, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.records import WindowBounds
    from engine.model.time import Micros
    from engine.rules.resolved.timing import Window

LevelKind = Literal["usual", "limit", "recover", "before", "after"]
MomentKind = Literal["onset", "alarm", "over"]


class Mark(NamedTuple):
    """A value at the beginning of its window, or at its own time."""

    time: Micros
    value: float


def place_of(window: WindowBounds, cut: Window) -> Micros:
    """Where a window stands: at its beginning; one that grows from the first day of a period on at its last day (give
    or take the hour by which a clock was moved).
    """
    return parse_own_time(window.start) if cut.since is None else parse_own_time(window.end) - DAY


class Level(NamedTuple):
    """A level line, from `begin` to `end` (None: all the way)."""

    kind: LevelKind
    label: str
    value: float
    begin: Micros | None = None
    end: Micros | None = None


class Panel(NamedTuple):
    """One KPI over time. `judged` are what the verdict is about, `earlier` what they were held against, `expected` the
    usual level of each where it moves (or what `expected_name` says), `around` the longer stretch from the log.
    """

    title: str
    unit: str
    judged: tuple[Mark, ...]
    earlier: tuple[Mark, ...] = ()
    expected: tuple[Mark, ...] = ()
    expected_name: str = "expected"
    around: tuple[Mark, ...] = ()
    levels: tuple[Level, ...] = ()


class Row(NamedTuple):
    """A series or rule: the stretch that counts, and when it was measured, as far as the log was asked."""

    label: str
    begin: Micros
    end: Micros
    measured: tuple[Micros, ...] = ()


class Moment(NamedTuple):
    """A line through everything."""

    kind: MomentKind
    time: Micros


class Picture(NamedTuple):
    """`zone` names the clock of the time axis and `local` goes over to it; without one, times are the numbers of rows.
    `firing` is the stretch that is shaded.
    """

    sentence: str
    zone: str | None
    local: Callable[[Micros], Micros]
    moments: tuple[Moment, ...]
    panels: tuple[Panel, ...] = ()
    rows: tuple[Row, ...] = ()
    rows_title: str = ""
    rows_label: str = ""
    firing: tuple[Micros, Micros] | None = None


Around = dict[str, tuple[Mark, ...]]
"""What the log has of the series in a picture, by their titles or labels."""
