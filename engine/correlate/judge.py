"""The arithmetic of a counterpart conflict: merging, aggregating, the usual level, and the verdict on one side.

Pure functions of numbers. Sums are exact (`math.fsum`), so that no order of series or partitions shows in a result.
"""

from __future__ import annotations

from math import fsum, isfinite, sqrt
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET

from engine.model.aggregation import quantile_of
from engine.model.finding import BaselinePoint
from engine.model.sketch import distinct, joined, quantile, smallest
from engine.model.time import DAY, SECOND, Micros, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.model.records import Parts, WindowBounds
    from engine.rules.resolved.catalogue import Aggregation, Direction
    from engine.rules.resolved.condition import Judge, Reference

Verdict = Literal["improved", "worsened", "flat", "unknown"]

MAD_TO_SIGMA = 1.4826
"""Times the median absolute deviation is the standard deviation, for normal noise."""


class Usual(msgspec.Struct, frozen=True):
    """The usual level of a side: the median of `points`, and their robust standard deviation `scale`."""

    level: float
    scale: float
    points: tuple[BaselinePoint, ...]


class Judged(msgspec.Struct, frozen=True):
    """What one side did in one window: `effect` is what the limit was held against."""

    verdict: Verdict
    value: float | None = None
    usual: float | None = None
    effect: float | None = None
    scale: float = 0.0


UNKNOWN = Judged("unknown")


def aggregate(  # noqa: PLR0911 (one for each kind)
    shares: Sequence[Parts], aggregation: Aggregation, windows: Iterable[WindowBounds]
) -> float | None:
    """The KPI's value over all measurements behind these parts; None where it has none (a mean or share of nothing).

    `last` is the value with the newest time, of equals the greatest; a rate is over the length of the `windows`.
    """
    count = sum([parts.count for parts in shares])
    if aggregation == "count":
        return float(count)
    if aggregation == "sum":
        return fsum([parts.sum for parts in shares])
    if aggregation == "rate":
        return fsum([parts.sum for parts in shares]) / _seconds(windows)
    filled = [parts for parts in shares if parts.count]
    if not filled:
        return None
    if aggregation == "mean":
        return fsum([parts.sum for parts in filled]) / count
    if aggregation == "share":
        return sum([parts.nonzero for parts in filled]) / count
    if aggregation == "min":
        return min([parts.min for parts in filled])
    if aggregation == "max":
        return max([parts.max for parts in filled])
    if aggregation == "last":
        return max([(parse_own_time(parts.last_time), parts.last) for parts in filled])[1]
    return _of_more(filled, aggregation, count)


def _seconds(windows: Iterable[WindowBounds]) -> float:
    """How long these are together."""
    return sum(parse_own_time(each.end) - parse_own_time(each.start) for each in windows) / SECOND


def _of_more(filled: Sequence[Parts], aggregation: Aggregation, count: int) -> float:
    """Of an aggregation that keeps more than the parts that all have."""
    more = more_of(filled)
    if aggregation == "deviation":
        return sqrt(more["squares"] / count)
    if aggregation == "distinct":
        return distinct(more["smallest"])
    least, greatest = min([parts.min for parts in filled]), max([parts.max for parts in filled])
    return quantile(more["buckets"], quantile_of(aggregation) or 0, least, greatest)


def more_of(filled: Sequence[Parts]) -> dict[str, Any]:
    """What only some aggregations keep, of all of these together; none of them is empty."""
    more: dict[str, Any] = {}
    if filled[0].squares is not UNSET:
        mean = fsum([parts.sum for parts in filled]) / sum([parts.count for parts in filled])
        around = [parts.count * (parts.sum / parts.count - mean) ** 2 for parts in filled]
        more["squares"] = fsum([*(parts.squares or 0.0 for parts in filled), *around])
    if filled[0].smallest is not UNSET:
        more["smallest"] = smallest(parts.smallest or () for parts in filled)
    if filled[0].buckets is not UNSET:
        more["buckets"] = joined([parts.buckets for parts in filled if parts.buckets is not UNSET])
    return more


def ratio(value: float | None, per: float | None) -> float | None:
    """`value` for each unit of `per`; None without either, or when `per` is zero."""
    if value is None or not per:
        return None
    quotient = value / per
    return quotient if isfinite(quotient) else None


def stride(reference: Reference, over: int, step: Micros) -> int:
    """How many windows lie between one earlier value and the next."""
    match reference:
        case "windows":
            return over
        case "days":
            return max(1, DAY // step)
        case "weekdays":
            return max(1, 7 * DAY // step)


def usual_of(points: Iterable[BaselinePoint | None], count: int) -> Usual | None:
    """The usual level, or None unless all `count` earlier values are there."""
    there = tuple(point for point in points if point is not None)
    if len(there) < count or not there:
        return None
    level = median(point.value for point in there)
    spread = median(abs(point.value - level) for point in there)
    return Usual(level, MAD_TO_SIGMA * spread, there)


def judge_side(value: float | None, usual: Usual | None, judge: Judge, direction: Direction, wanted: Verdict) -> Judged:
    """The verdict on one side. A side judged by a level is `wanted` past it and flat otherwise."""
    if value is None:
        return UNKNOWN
    if judge.level is not None:
        past = value > judge.level if judge.side == "above" else value < judge.level
        return Judged(wanted if past else "flat", value, None, value)
    if usual is None or usual.level == 0:
        return Judged("unknown", value, usual.level if usual else None)
    effect = (value - usual.level) / abs(usual.level)
    scale = usual.scale / abs(usual.level)
    return Judged(_verdict(effect, scale, judge, direction), value, usual.level, effect, usual.scale)


def _verdict(effect: float, scale: float, judge: Judge, direction: Direction) -> Verdict:
    if direction == "in_band" or abs(effect) < judge.by or abs(effect) < judge.noise * scale or effect == 0:
        return "flat"
    return "improved" if (effect > 0) == (direction == "higher_is_better") else "worsened"
