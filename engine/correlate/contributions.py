"""What each value of a dimension adds to the change of a whole: amounts add up, ratios are split in rate and mix.

A ratio is the mean of its values' ratios r, weighted by their shares w of what it is counted of. With the mean of both
times as weights its change is, exactly,

    sum of (w1 + w0) / 2 * (r1 - r0)  +  sum of (w1 - w0) * ((r1 + r0) / 2 - (R1 + R0) / 2)

the rate and the mix of E. M. Kitagawa, Components of a Difference Between Two Rates, Journal of the American
Statistical Association 50 (1955), as in the indicator of T. L. Bennet, The Theory of Measurement of Changes in Cost of
Living, Journal of the Royal Statistical Society 83 (1920). Neither time is preferred, and nothing is left over. The
mean ratio R is taken off, which changes no sum (the weights of both times add up to 1): more of what lies above the
mean raises it, less of what lies below it as well.

Pure functions of numbers; sums are exact (`math.fsum`), so that no order of series shows in a result.
"""

from __future__ import annotations

from math import fsum, inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.bottleneck import DimensionChange, Mostly, Named, ValueChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

CARRIES = 0.5
"""The share of the change that a value must carry to be named."""
BEYOND = 2.0
"""And so many times as much as the others together it must have changed, each as a share of itself: where all move
alike the largest carries most, and is no finding.
"""
MANY = 10
"""From so many values on one of them can be told to be apart from the others."""
APART = 2.0
"""So many times as far out of step as the second it must be."""
OUT_OF_STEP = 0.25
"""The share of its own change by which a value must depart from what the whole did to be listed before larger ones."""
MOSTLY = 2 / 3
"""The share of the change of a ratio from which on it is called rate, or mix."""


class Amount(NamedTuple):
    """What a part of the whole came to, and of how much: 0 where it is no ratio."""

    value: float = 0.0
    of: float = 0.0


NOTHING = Amount()


def added(amounts: Iterable[Amount]) -> Amount:
    """Their exact sum."""
    there = list(amounts)
    return Amount(fsum([each.value for each in there]), fsum([each.of for each in there]))


def by_amount(
    dimension: str,
    pair: tuple[Mapping[str | None, float], Mapping[str | None, float]],
    wholes: tuple[float, float],
    listed_max: int,
) -> DimensionChange:
    """The values of a dimension, now and before, whose amounts add up to the wholes."""
    now, before = pair
    changes = [
        ValueChange(value, now.get(value, 0.0), before.get(value, 0.0), now.get(value, 0.0) - before.get(value, 0.0))
        for value in {*now, *before}
    ]
    return _dimension(dimension, changes, lambda each: _rank(each.change, *amount_step(each, *wholes)), listed_max)


def by_ratio(
    dimension: str,
    pairs: tuple[Mapping[str | None, Amount], Mapping[str | None, Amount]],
    wholes: tuple[Amount, Amount],
    listed_max: int,
) -> DimensionChange:
    """The values of a dimension of which each has a ratio of its own, now and before; both wholes are of something."""
    now, before = pairs
    changes = [
        _split(value, (now.get(value, NOTHING), before.get(value, NOTHING)), wholes) for value in {*now, *before}
    ]
    rate, mix = fsum(_number(each.rate) for each in changes), fsum(_number(each.mix) for each in changes)
    found = _dimension(dimension, changes, lambda each: _rank(each.change, *ratio_step(each, rate)), listed_max)
    called = mostly(rate, mix, wholes[0].value / wholes[0].of - wholes[1].value / wholes[1].of)
    return msgspec.structs.replace(found, rate=rate, mix=mix, mostly=called)


def _split(value: str | None, own: tuple[Amount, Amount], wholes: tuple[Amount, Amount]) -> ValueChange:
    """What is counted of nothing has no ratio: it is rate, whatever its weight."""
    weights = own[0].of / wholes[0].of, own[1].of / wholes[1].of
    ratios = _ratio(own[0]), _ratio(own[1])
    loose = [0.0 if part.of else part.value / whole.of for part, whole in zip(own, wholes, strict=True)]
    mix = mix_of(weights, ratios, (wholes[0].value / wholes[0].of, wholes[1].value / wholes[1].of))
    rate = rate_of(weights, ratios) + loose[0] - loose[1]
    return ValueChange(value, *ratios, rate + mix, rate, mix, *weights)


def _ratio(amount: Amount) -> float | None:
    return amount.value / amount.of if amount.of else None


def rate_of(weights: tuple[float, float], ratios: tuple[float | None, float | None]) -> float:
    """What the change of its own ratio does; nothing where it had, or has, none."""
    now, before = ratios
    return 0.0 if now is None or before is None else (weights[0] + weights[1]) / 2 * (now - before)


def mix_of(
    weights: tuple[float, float], ratios: tuple[float | None, float | None], wholes: tuple[float, float]
) -> float:
    """What the change of its weight does. A value that came or went had, or has, the ratio that is known of it."""
    there = [ratio for ratio in ratios if ratio is not None]
    own = fsum(there) / len(there) if there else 0.0
    return (weights[0] - weights[1]) * (own - (wholes[0] + wholes[1]) / 2)


def mostly(rate: float, mix: float, change: float) -> Mostly:
    """Which of the two the change is."""
    for name, part in (("rate", rate), ("mix", mix)):
        if part * change > 0 and abs(part) >= MOSTLY * abs(change):
            return "rate" if name == "rate" else "mix"
    return "both"


def amount_step(one: ValueChange, whole_now: float, whole_before: float) -> tuple[float, float]:
    """By how much a value of an amount moved out of step with the whole, and its size."""
    now, before = one.now or 0.0, one.before or 0.0
    step = now - before * whole_now / whole_before if whole_before else one.change
    return step, (abs(now) + abs(before)) / 2


def ratio_step(one: ValueChange, rate: float) -> tuple[float, float]:
    """The same for a ratio, all of whose values changed by `rate` together: its size is its weight."""
    weight = (abs(_number(one.weight_now)) + abs(_number(one.weight_before))) / 2
    return one.change - weight * rate, weight or 1.0


def apart_by(change: float, step: float, size: float) -> float:
    """By how much a value moved both from its own past and, that way, out of step with the whole, in roots of its size.

    A large value changes by more than a small one on any day, and on a slow day all of them do. The root is how counts
    scatter: the lesser of the two changes is then a residual of Pearson, and values of all sizes can be compared.
    """
    return min(abs(change), abs(step)) / sqrt(size) if size and change * step > 0 else 0.0


def _rank(change: float, step: float, size: float) -> float:
    """What hardly departs from what the whole did comes after all that does, by size."""
    return 0.0 if abs(step) < OUT_OF_STEP * abs(change) else apart_by(change, step, size)


def _dimension(
    dimension: str, changes: Sequence[ValueChange], rank: Callable[[ValueChange], float], listed_max: int
) -> DimensionChange:
    """By rank; of equals the larger change first, then by value, null last."""
    ordered = sorted(changes, key=lambda each: (-rank(each), -abs(each.change), each.value is None, each.value or ""))
    listed, others = ordered[:listed_max], ordered[listed_max:]
    return DimensionChange(dimension, tuple(listed), len(ordered), fsum(each.change for each in others))


def rank_in(dimension: DimensionChange, one: ValueChange, now: float, before: float) -> float:
    """What the values of a dimension are listed by, the largest first."""
    return _rank(one.change, *_step(dimension, one, now, before))


def _step(dimension: DimensionChange, one: ValueChange, now: float, before: float) -> tuple[float, float]:
    rate = dimension.rate
    return ratio_step(one, rate) if isinstance(rate, float) else amount_step(one, now, before)


def named(now: float, before: float, dimensions: Iterable[DimensionChange]) -> Named | None:
    """What carries the change from `before` to `now`: of several dimensions that of which most is beyond its share.
    Where nothing does, the value that is furthest apart from the others.
    """
    there = list(dimensions)
    found = [each for dimension in there if (each := _named_in(dimension, now - before, before)) is not None]
    found = found or [each for dimension in there if (each := _apart(dimension, now, before)) is not None]
    return max(reversed(found), key=lambda each: each[0])[1] if found else None


def _apart(dimension: DimensionChange, now: float, before: float) -> tuple[float, Named] | None:
    """Of many values, one that is out of step by far more than any other. Of a few, one always is."""
    if dimension.values_count < MANY:
        return None
    one, *others = dimension.values
    first = rank_in(dimension, one, now, before)
    second = max((apart_by(each.change, *_step(dimension, each, now, before)) for each in others), default=inf)
    if not first or first < APART * second:
        return None
    return first / second if second else inf, Named(dimension.dimension, one.value, "apart", one.change)


def _named_in(dimension: DimensionChange, change: float, before: float) -> tuple[float, Named] | None:
    """Of one dimension: the first value, or the mix, with how much of it is beyond the share that it has anyway."""
    first = dimension.values[0]
    name, value = dimension.dimension, first.value
    if not isinstance(dimension.mix, float) or not isinstance(dimension.rate, float):
        share = (first.before or 0.0) / before if before else 0.0
        return _carries(Named(name, value, "value", first.change), change, change, share)
    if dimension.mostly == "mix":
        return abs(dimension.mix), Named(name, value, "mix", dimension.mix)
    if dimension.mostly == "rate":
        share = (_number(first.weight_now) + _number(first.weight_before)) / 2
        return _carries(Named(name, value, "rate", _number(first.rate)), change, dimension.rate, share)
    return None


def _carries(one: Named, change: float, together: float, share: float) -> tuple[float, Named] | None:
    """Whether one value, whose share of the whole that is, carries enough of what all do `together`."""
    others = together - one.change
    enough = one.change * change > 0 and abs(one.change) >= CARRIES * abs(change)
    beyond = others * change <= 0 or abs(one.change) * abs(1 - share) >= BEYOND * abs(others) * abs(share)
    return (abs(one.change - share * together), one) if enough and beyond else None


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
