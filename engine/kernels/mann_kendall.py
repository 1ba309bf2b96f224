"""Whether values rise or fall with time: the Mann-Kendall test (Mann 1945; Kendall 1975)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray


@jit_apart
def mann_kendall(work: NDArray[np.float64], first: int, count: int) -> float:
    """Z of `count` values from `first` on, in order of time: normal with ties and continuity allowed for; 0 if all
    are equal.
    """
    score, ties = 0, 0
    for one in range(count):
        equal, before = 1, 0
        for other in range(count):
            same = work[first + other] == work[first + one]
            if other > one:
                score += work[first + other] > work[first + one]
                score -= work[first + other] < work[first + one]
                equal += same
            elif other < one:
                before += same
        if before == 0:  # a tie is counted where it is seen first
            ties += equal * (equal - 1) * (2 * equal + 5)
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18.0
    if score == 0 or variance <= 0.0:
        return 0.0
    return (score - 1 if score > 0 else score + 1) / np.sqrt(variance)


@jit_apart
def dependence(count: int, first: float, memory: float) -> float:
    """By how much the variance of the test grows when neighbours correlate by `first`, and each step further by
    `memory` less (Hamed & Rao 1998, with correlations that are known instead of estimated from the few points).
    """
    factor, correlation = 1.0, first
    for lag in range(1, count - 2):
        weight = (count - lag) * (count - lag - 1) * (count - lag - 2)
        factor += 2.0 * weight * correlation / (count * (count - 1.0) * (count - 2.0))
        correlation *= memory
    return factor
