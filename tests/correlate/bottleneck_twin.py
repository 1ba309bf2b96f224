"""Contributions, slow and obvious, in exact fractions: from what each series put into each window to what each value of
a dimension carries.

Rate and mix are made by substitution: the new ratios are put in before the new weights, then after them, and the two
ways are averaged.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

Dims = dict[str, str]


class Told(NamedTuple):
    """What a series put into one window: an amount, and of how much."""

    dims: Dims
    window: int
    amount: float
    of: float = 0.0


class Part(NamedTuple):
    change: Fraction
    rate: Fraction = Fraction(0)
    mix: Fraction = Fraction(0)


def by_amount(told: list[Told], name: str, now: set[int], before: set[int]) -> dict[str | None, Part]:
    """Each value's mean over the windows `now` less its mean over those `before`; a window without it is a zero."""
    found = {}
    for value in {each.dims.get(name) for each in told if each.window in now | before}:
        own = [each for each in told if each.dims.get(name) == value]
        means = [
            sum((Fraction(each.amount) for each in own if each.window in windows), Fraction(0)) / len(windows)
            for windows in (now, before)
        ]
        found[value] = Part(means[0] - means[1])
    return found


def by_ratio(told: list[Told], name: str, now: set[int], before: set[int]) -> dict[str | None, Part]:
    """Only for values that are never counted of nothing while there is something to count."""
    wholes = [_sums([each for each in told if each.window in windows]) for windows in (now, before)]
    middle = sum(amount / of for amount, of in wholes) / 2
    found = {}
    for value in {each.dims.get(name) for each in told if each.window in now | before}:
        own = [
            _sums([each for each in told if each.dims.get(name) == value and each.window in windows])
            for windows in (now, before)
        ]
        weight = [part[1] / whole[1] for part, whole in zip(own, wholes, strict=True)]
        ratio = [part[0] / part[1] if part[1] else None for part in own]
        known = [each for each in ratio if each is not None] or [Fraction(0)]
        one, other = [known[0] if ratio[0] is None else ratio[0], known[-1] if ratio[1] is None else ratio[1]]
        ratios_first = (weight[1] * (one - other), (weight[0] - weight[1]) * (one - middle))
        weights_first = (weight[0] * (one - other), (weight[0] - weight[1]) * (other - middle))
        rate, mix = ((a + b) / 2 for a, b in zip(ratios_first, weights_first, strict=True))
        found[value] = Part(rate + mix, rate, mix)
    return found


def _sums(told: list[Told]) -> tuple[Fraction, Fraction]:
    return (
        sum((Fraction(each.amount) for each in told), Fraction(0)),
        sum((Fraction(each.of) for each in told), Fraction(0)),
    )


def change(told: list[Told], now: set[int], before: set[int], *, ratio: bool) -> Fraction:
    """That of the whole."""
    here, there = ([each for each in told if each.window in windows] for windows in (now, before))
    if ratio:
        (amount, of), (former, former_of) = _sums(here), _sums(there)
        return amount / of - former / former_of
    return _sums(here)[0] / len(now) - _sums(there)[0] / len(before)
