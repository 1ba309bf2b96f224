"""The bottleneck of a side, recomputed: its values from the shares, what follows of them, and that it all adds up.

What the windows of the baseline were made of is not in the trigger: what each value was `before` is taken from there.
"""

from __future__ import annotations

from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING

from engine.correlate.bottleneck import Values, adds_up, whole_of
from engine.correlate.contributions import mix_of, mostly, named, rank_in, rate_of
from engine.model.bottleneck import Bottleneck
from engine.offline.explain.account import Line, alike, holds, same, shown
from engine.offline.explain.case import kpi_of
from engine.review.explain_bottleneck import bottleneck_words, signed, value_named
from engine.review.numbers import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.correlate.bottleneck import Whole
    from engine.correlate.sides import AlignedSide
    from engine.model.bottleneck import DimensionChange, ValueChange
    from engine.model.records import Parts
    from engine.model.trigger import ReconciledSide, SideEvidence
    from engine.offline.explain.account import Check
    from engine.rules.resolved.catalogue import Aggregation

_CLOSE = 1e-9
"""Sums of rounded numbers are held to this share of the largest of them."""


def bottleneck_lines(
    said: SideEvidence | ReconciledSide, path: str, side: AlignedSide, points: Sequence[float]
) -> Iterator[Line]:
    """`points`: the values of the baseline's windows, empty where they are not all known."""
    found, rolled = said.bottleneck, side.told_apart
    if not isinstance(found, Bottleneck):
        if not adds_up(rolled) and len({share.series for share in said.shares}) > 1:
            how = " per ".join(rolled.values()) or "formula"
            yield Line("carried by", f"cannot be told: the values of a dimension do not add up to a {how}")
        return
    path = f"{path}.bottleneck"
    yield _change_line(said, found, path, rolled, points)
    now = _now(said, found, rolled)
    for place, dimension in enumerate(found.dimensions):
        yield _dimension_line(found, dimension, f"{path}.dimensions[{place}]", now)
    told = bottleneck_words(found) or "no value and no mix carries most of it, or the others moved alike"
    yield Line(
        "carried by", told, alike(f"{path}.named", found.named, named(found.now, found.before, found.dimensions))
    )


def _change_line(
    said: SideEvidence | ReconciledSide,
    found: Bottleneck,
    path: str,
    rolled: Mapping[str, Aggregation],
    points: Sequence[float],
) -> Line:
    checks = [same(f"{path}.change", found.change, found.now - found.before)]
    several = found.windows_now > 1
    if not several:
        checks.append(same(f"{path}.now", found.now, said.value))
    if points:
        counted = found.windows_before + (found.windows_now if several else 0)
        checks.append(same(f"{path}.windows_before", counted, len(points)))
    if tuple(rolled.values()) in (("sum",), ("count",)):
        before, now = points[: found.windows_before], points[found.windows_before :]
        checks += _is_mean(f"{path}.before", found.before, before)
        checks += _is_mean(f"{path}.now", found.now, now) if several else ()
    windows = f"the mean of {found.windows_before} windows"
    against = f"that of the {found.windows_now} after them, less {windows}" if several else f"less {windows} before"
    return Line(
        "change", f"{shown(found.now)} - {shown(found.before)} = {shown(found.change)}: {against}", tuple(checks)
    )


def _is_mean(path: str, value: float, points: Sequence[float]) -> Iterator[Check]:
    if points:
        mean = fsum(points) / len(points)
        why = f"the mean of {len(points)} windows, {shown(mean)}"
        yield holds(path, value, true=_close(value, mean, points), why=why)


def _now(said: SideEvidence | ReconciledSide, found: Bottleneck, rolled: Mapping[str, Aggregation]) -> Whole | None:
    """What the shares come to; None where not all are listed, they are of one window among several, or are none."""
    if len(said.shares) < said.shares_count or found.windows_now > 1:
        return None
    if any(kpi_of(share.series) not in rolled for share in said.shares):
        return None
    shares: dict[str, dict[str, list[Parts]]] = {}
    for share in said.shares:
        of = shares.setdefault(share.series.partition("{")[0], {})
        of.setdefault(share.series, []).append(share.parts)
    whole = whole_of(shares, rolled, 1)
    return None if whole.ratio and not whole.total.of else whole


def _dimension_line(found: Bottleneck, dimension: DimensionChange, path: str, now: Whole | None) -> Line:
    whole = None if now is None else _whole_now(dimension, now)
    checks = [
        check
        for place, each in enumerate(dimension.values)
        for check in _value(found, each, f"{path}.values[{place}]", whole)
    ]
    together = fsum([dimension.rest, *(each.change for each in dimension.values)])
    sizes = [found.now, found.before, dimension.rest, *(each.change for each in dimension.values)]
    why = f"with those listed it makes {shown(found.change)}, found {shown(together)}"
    checks.append(holds(f"{path}.rest", dimension.rest, true=_close(together, found.change, sizes), why=why))
    checks += _whole(found, dimension, path)
    ranks = [rank_in(dimension, each, found.now, found.before) for each in dimension.values]
    falling = all(one >= other for one, other in pairwise(ranks))
    checks.append(holds(f"{path}.values", None, true=falling, why="what is most out of step first"))
    left_out = dimension.values_count - len(dimension.values)
    checks.append(holds(f"{path}.values_count", dimension.values_count, true=left_out >= 0, why="no fewer than listed"))
    listed = [_told(each) for each in dimension.values]
    rest = [f"{left_out} others {signed(dimension.rest)}"] if left_out else []
    kinds = [] if not isinstance(dimension.mostly, str) else [_kinds(dimension)]
    return Line(f"by {dimension.dimension}", "; ".join([*listed, *rest, *kinds]), tuple(checks))


def _whole_now(dimension: DimensionChange, now: Whole) -> dict[str | None, tuple[float | None, float]]:
    """Of each value what it is now and its weight; of values that add up the weight is 0."""
    grouped = Values((now,)).grouped(now, dimension.dimension, split=isinstance(dimension.mix, float))
    if isinstance(dimension.mix, float):
        of = now.total.of
        return {value: (each.value / each.of if each.of else None, each.of / of) for value, each in grouped.items()}
    of = now.total.of if now.ratio else float(now.windows)
    return {value: (each.value / of, 0.0) for value, each in grouped.items()}


def _value(
    found: Bottleneck, each: ValueChange, path: str, whole: dict[str | None, tuple[float | None, float]] | None
) -> Iterator[Check]:
    split = isinstance(each.rate, float) and isinstance(each.mix, float)
    if whole is not None:
        now, weight = whole.get(each.value, (None if split else 0.0, 0.0))
        yield same(f"{path}.now", each.now, now)
        if split:
            yield same(f"{path}.weight_now", each.weight_now, weight)
    if not split:
        yield same(f"{path}.change", each.change, _number(each.now) - _number(each.before))
        return
    weights, ratios = (_number(each.weight_now), _number(each.weight_before)), (each.now, each.before)
    if None not in ratios:  # what is counted of nothing is rate as well, and does not stand here
        yield same(f"{path}.rate", each.rate, rate_of(weights, ratios))
    yield same(f"{path}.mix", each.mix, mix_of(weights, ratios, (found.now, found.before)))
    yield same(f"{path}.change", each.change, _number(each.rate) + _number(each.mix))


def _whole(found: Bottleneck, dimension: DimensionChange, path: str) -> Iterator[Check]:
    """Rate and mix of all values together."""
    if not isinstance(dimension.rate, float) or not isinstance(dimension.mix, float):
        return
    together = dimension.rate + dimension.mix
    sizes = (found.now, found.before, dimension.rate, dimension.mix)
    why = f"with the mix it makes {shown(found.change)}, found {shown(together)}"
    yield holds(f"{path}.rate", dimension.rate, true=_close(together, found.change, sizes), why=why)
    if dimension.values_count == len(dimension.values):
        for name, whole in (("rate", dimension.rate), ("mix", dimension.mix)):
            yield same(f"{path}.{name}", whole, fsum(_number(getattr(each, name)) for each in dimension.values))
    yield same(f"{path}.mostly", dimension.mostly, mostly(dimension.rate, dimension.mix, found.change))


def _told(each: ValueChange) -> str:
    now, before = number(each.now), number(each.before)
    told = f"{value_named(each.value)} {signed(each.change)} ({now} from {before}"
    if isinstance(each.rate, float) and isinstance(each.mix, float):
        weights = f"{percent(_number(each.weight_now))} from {percent(_number(each.weight_before))} of all"
        return f"{told}, {weights}: rate {signed(each.rate)}, mix {signed(each.mix)})"
    return f"{told})"


def _kinds(dimension: DimensionChange) -> str:
    rate, mix = signed(_number(dimension.rate)), signed(_number(dimension.mix))
    return f"in all rate {rate}, mix {mix}: {dimension.mostly}"


def _close(one: float, other: float, sizes: Sequence[float]) -> bool:
    return abs(one - other) <= _CLOSE * max([abs(one), abs(other), *map(abs, sizes)])


def _number(value: object) -> float:
    return float(value) if isinstance(value, float | int) else 0.0
