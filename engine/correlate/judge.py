"""The arithmetic of a counterpart conflict: merging, aggregating, the usual level, and the verdict on one side.

Pure functions of numbers. Sums are exact (`math.fsum`), so that no order of series or partitions shows in a result.
"""

from __future__ import annotations

from math import fsum, isfinite
from statistics import median
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.model.finding import BaselinePoint
from engine.model.records import Parts
from engine.model.time import DAY, Micros, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.rules.ruleset import Aggregation, Direction, Judge, Reference

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


def merge_parts(parts: Sequence[Parts]) -> Parts:
    """The parts of all measurements together; `last` is the one with the newest time (of equals the greatest value)."""
    if len(parts) == 1:
        return parts[0]
    last = max(parts, key=lambda part: (parse_own_time(part.last_time), part.last))
    return Parts(
        count=sum(part.count for part in parts),
        sum=fsum(part.sum for part in parts),
        min=min(part.min for part in parts),
        max=max(part.max for part in parts),
        nonzero=sum(part.nonzero for part in parts),
        last=last.last,
        last_time=last.last_time,
    )


def aggregate(parts: Parts, aggregation: Aggregation) -> float | None:
    """The KPI's value from its parts; None where it has none (a mean or share of nothing)."""
    if aggregation == "count":
        return float(parts.count)
    if aggregation == "sum":
        return parts.sum
    if not parts.count:
        return None
    return {
        "mean": parts.sum / parts.count,
        "share": parts.nonzero / parts.count,
        "min": parts.min,
        "max": parts.max,
        "last": parts.last,
    }[aggregation]


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
