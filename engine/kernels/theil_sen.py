"""The slope that half of all pairs of points exceed (Theil 1950; Sen 1968)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit_apart
from engine.kernels.ordering import median_within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@jit_apart
def theil_sen(work: NDArray[np.float64], times: int, values: int, count: int, free: int) -> float:
    """The slope of `count` points whose times (all different) and values stand in `work` from `times` and `values` on.

    From `free` on there must be room for one slope a pair.
    """
    pairs = free
    for one in range(count):
        for other in range(one + 1, count):
            run = work[times + other] - work[times + one]
            work[pairs] = (work[values + other] - work[values + one]) / run
            pairs += 1
    return median_within(work, free, pairs - free)
