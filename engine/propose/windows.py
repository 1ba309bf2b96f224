"""How the values of a sample lie in time: cadence, window, aggregation, and the values of the windows."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros
from engine.propose.naming import is_summed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engine.rules.resolved.timing import ZoneTransition

Aggregation = Literal["count", "sum", "mean", "last"]
Point = tuple[Micros, float]
Series = dict[tuple[str, ...], list[Point]]
"""Points in order of time, by the values of the dimensions."""

STEPS: tuple[Micros, ...] = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY)
"""Windows that people think in. The last is a calendar day."""
_NICE: tuple[Micros, ...] = (SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, *STEPS)
ENOUGH_A_WINDOW = 5
"""Irregular events: the shortest window that holds so many at the median."""
_REGULAR = 0.8
_TOLERANCE = 0.05
_NEARLY_A_DAY = 23 * HOUR


class Rhythm(NamedTuple):
    """`every` is the window (DAY: a calendar day); `cadence` the time between measurements where it is regular."""

    every: Micros
    cadence: Micros | None
    why: str


def rhythm_of(series: Series, *, counted: bool = False) -> Rhythm:
    """The window that fits the data: its own step where it has one, else the shortest that holds enough.

    Where rows are `counted`, a window of one row each would tell nothing: then it is always the latter.
    """
    grids = [sorted({time for time, _ in points}) for points in series.values()]
    step = _step([later - earlier for grid in grids for earlier, later in pairwise(grid)])
    if step is not None and not counted and step >= _NEARLY_A_DAY:
        days = max(1, round(step / DAY))
        return Rhythm(DAY, days * DAY, f"values every {'day' if days == 1 else f'{days} days'}")
    if step is not None and not counted:
        fits = [each for each in _NICE if step <= each]
        return Rhythm(fits[0], step, f"values every {_spoken(step)}")
    for every in [each for each in STEPS if each >= (step or 0)]:
        held = [count for points in series.values() for count in _counts(points, every)]
        if held and median(held) >= ENOUGH_A_WINDOW:
            return Rhythm(every, None, f"the shortest that holds {ENOUGH_A_WINDOW} values at the median")
    return Rhythm(DAY, None, "few values: a day at a time")


def _step(gaps: Sequence[Micros]) -> Micros | None:
    """The gap that nearly all share; several of it count as one, for what is missing."""
    positive = [gap for gap in gaps if gap > 0]
    if len(positive) < len(gaps) * _REGULAR or not positive:
        return None
    step = median(positive)
    tolerance = max(step * _TOLERANCE, HOUR + 1 if step >= _NEARLY_A_DAY else 0)
    whole = sum(abs(gap - step * max(1, round(gap / step))) <= tolerance for gap in positive)
    return round(step) if whole >= len(gaps) * _REGULAR else None


def _counts(points: Sequence[Point], every: Micros) -> Iterable[int]:
    counts: dict[int, int] = defaultdict(int)
    for time, _ in points:
        counts[time // every] += 1
    return counts.values()


def aggregation_of(words: Sequence[str], *, counted: bool) -> tuple[Aggregation, str]:
    """How values of that name make one, and why."""
    if counted:
        return "count", "each row counts"
    if is_summed(words):
        return "sum", "amounts add up"
    return "mean", "levels and durations are averaged"


_COMBINE: Mapping[Aggregation, Callable[[Sequence[float]], float]] = {
    "count": lambda values: float(len(values)),
    "sum": lambda values: float(sum(values)),
    "mean": fmean,
    "last": lambda values: values[-1],
}


def window_values(
    points: Sequence[Point], every: Micros, aggregation: Aggregation, zone: Sequence[ZoneTransition]
) -> dict[int, float]:
    """The value of each window that holds something, by its number; days are those of the zone."""
    held: dict[int, list[float]] = defaultdict(list)
    for time, value in points:
        held[(time + (offset_at(time, zone) if every == DAY else 0)) // every].append(value)
    combine = _COMBINE[aggregation]
    return {index: combine(values) for index, values in sorted(held.items())}


def offset_at(time: Micros, zone: Sequence[ZoneTransition]) -> Micros:
    """The zone's offset from UTC at a time."""
    place = bisect_right(zone, time, key=lambda transition: transition.start)
    return zone[max(0, place - 1)].offset if zone else 0


def lateness_of(arrivals: Series) -> Micros:
    """How far the newest was ever ahead of what came after it, in the order of arrival; in a step people think in."""
    late = 0
    for points in arrivals.values():
        newest: Micros | None = None
        for time, _ in points:
            late = max(late, 0 if newest is None else newest - time)
            newest = time if newest is None else max(newest, time)
    return next((each for each in _NICE if each >= late), DAY) if late else 0


def _spoken(step: Micros) -> str:
    for size, unit in ((HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if step % size == 0:
            return f"{step // size} {unit}"
    return f"{step / SECOND:g} s"
