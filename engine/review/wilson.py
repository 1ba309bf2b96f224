"""The Wilson score interval of a share: honest also for few trials and for shares near 0 and 1."""

from __future__ import annotations

from math import sqrt

NORMAL_95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(successes: int, trials: int, z: float = NORMAL_95) -> tuple[float, float]:
    """The lowest and highest share that `successes` of `trials` speak for; (0, 1) without trials.

    ValueError unless 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials, found {successes} of {trials}")
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    spread = z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return low, high
