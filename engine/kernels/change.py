"""change: a window against the median of earlier ones, at a fixed distance from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.layout import UNSET

if TYPE_CHECKING:
    from numpy.typing import NDArray


@jit
def push(instance: Any, rule: Any, history: NDArray[np.float64], index: int, value: float) -> None:
    """Remember the value of window `index`."""
    history[instance.history + index % rule.width] = value
    instance.pushed = index


@jit
def skip_to(instance: Any, rule: Any, history: NDArray[np.float64], index: int) -> None:
    """Windows between the last one and `index` had nothing: what the ring holds in their places is older than they
    are.

    No further back than anything will look: beyond that stand windows after `index`, closed provisionally.
    """
    if instance.pushed != UNSET and index > instance.pushed:
        gap = min(index - instance.pushed - 1, rule.count * rule.lag)
        for missing in range(index - gap, index):
            history[instance.history + missing % rule.width] = np.nan


@jit
def usual(
    instance: Any, rule: Any, history: NDArray[np.float64], index: int, scratch: NDArray[np.float64]
) -> tuple[bool, float]:
    """(known, median of the `count` values at `index` - `lag`, - 2 `lag`, ...); known only when all are there."""
    for place in range(rule.count):
        earlier = index - (place + 1) * rule.lag
        value = history[instance.history + earlier % rule.width]
        if np.isnan(value):
            return False, np.nan
        scratch[place] = value
    return True, median(scratch, rule.count)


@jit
def median(values: NDArray[np.float64], count: int) -> float:
    """The median of the first `count` values, which are sorted in place (by insertion: there are few)."""
    for end in range(1, count):
        value = values[end]
        place = end
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
    middle = count // 2
    if count % 2 == 1:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2.0


@jit
def change(rule: Any, value: float, baseline: float) -> tuple[bool, bool, float, float, float]:
    """(known, breach, statistic, limit, how far past it). A relative change from a zero baseline is not known."""
    statistic = value - baseline
    if rule.relative:
        if baseline == 0.0:
            return False, False, np.nan, np.nan, 0.0
        statistic /= abs(baseline)
    over = statistic - rule.up if not np.isnan(rule.up) else -np.inf
    under = -rule.down - statistic if not np.isnan(rule.down) else -np.inf
    if over >= under:
        return True, over > 0.0, statistic, rule.up, over
    return True, under > 0.0, statistic, -rule.down, under
