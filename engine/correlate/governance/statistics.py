"""The statistics of the governance conditions. Pure; sums are exact, so that no order shows in them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import atanh, fsum, sqrt, tanh
from statistics import median
from typing import TYPE_CHECKING

from engine.correlate.judge import MAD_TO_SIGMA

if TYPE_CHECKING:
    from collections.abc import Sequence

Z_95 = 1.959963984540054
"""What 95 % of a normal distribution lie within, in standard deviations."""

RANK_VARIANCE = 1.06
"""Fieller, Hartley and Pearson (1957): the variance of Fisher's z of Spearman's rho is 1.06 / (pairs - 3)."""

_LEAST_PAIRS = 4
_ALIKE_MAX = 0.9


def robust_sigma(values: Sequence[float]) -> float:
    """1.4826 times the median absolute deviation."""
    middle = median(values)
    return MAD_TO_SIGMA * median([abs(value - middle) for value in values])


def mann_kendall(values: Sequence[float], slope: float) -> tuple[int, float]:
    """(S, Z) with the variance corrected for ties and for continuity (Mann 1945, Kendall 1975), and times `inflation`
    for what neighbours have in common beside the Theil-Sen `slope`. Z is 0 where all are equal.
    """
    count = len(values)
    score = sum(
        (later > earlier) - (later < earlier) for place, earlier in enumerate(values) for later in values[place + 1 :]
    )
    ties = [values.count(value) for value in set(values)]
    variance = (_pairs_variance(count) - sum(_pairs_variance(tie) for tie in ties)) / 18
    if variance <= 0 or score == 0:
        return score, 0.0
    return score, (score - (1 if score > 0 else -1)) / sqrt(variance * inflation(values, slope))


def inflation(values: Sequence[float], slope: float) -> float:
    """How much larger the variance of S is where neighbours are alike: (1 + r) / (1 - r) for the first autocorrelation
    r of what is left of the values without their line of that `slope` (Yue and Wang 2004); r is cut to 0 to 0.9.
    """
    rest = [value - slope * place for place, value in enumerate(values)]
    middle = fsum(rest) / len(rest)
    apart = [value - middle for value in rest]
    size = fsum(each**2 for each in apart)
    alike = fsum(one * other for one, other in pairwise(apart)) / size if size > 0 else 0.0
    first = min(max(alike, 0.0), _ALIKE_MAX)
    return (1 + first) / (1 - first)


def _pairs_variance(count: int) -> int:
    return count * (count - 1) * (2 * count + 5)


def theil_sen(values: Sequence[float]) -> float:
    """The median of all slopes between two values, a step apart being 1 (Theil 1950, Sen 1968); 0 of fewer than two."""
    slopes = [
        (values[later] - values[earlier]) / (later - earlier)
        for earlier in range(len(values))
        for later in range(earlier + 1, len(values))
    ]
    return median(slopes) if slopes else 0.0


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's correlation of the ranks, ties at their middle; None where a side never moves."""
    left, right = _ranks(one), _ranks(other)
    middle = (len(left) + 1) / 2
    both = fsum((a - middle) * (b - middle) for a, b in zip(left, right, strict=True))
    size = fsum((a - middle) ** 2 for a in left) * fsum((b - middle) ** 2 for b in right)
    return both / sqrt(size) if size > 0 else None


def _ranks(values: Sequence[float]) -> list[float]:
    first: dict[float, int] = {}
    counts = Counter(values)
    for place, value in enumerate(sorted(values), 1):
        first.setdefault(value, place)
    return [first[value] + (counts[value] - 1) / 2 for value in values]


def rho_interval(rho: float, pairs: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's rho by Fisher's z; -1 to 1 of fewer than four pairs."""
    if pairs < _LEAST_PAIRS or abs(rho) >= 1:
        return (rho, rho) if pairs >= _LEAST_PAIRS else (-1.0, 1.0)
    middle, reach = atanh(rho), Z_95 * sqrt(RANK_VARIANCE / (pairs - 3))
    return tanh(middle - reach), tanh(middle + reach)
