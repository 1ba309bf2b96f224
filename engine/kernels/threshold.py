"""threshold: a point is strictly above, strictly below, outside or inside stated limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.layout import ABOVE, BELOW, FIRING, OUTSIDE


@jit
def threshold(rule: Any, phase: int, value: float) -> tuple[bool, float, float]:
    """(breach, limit held against, how far past it). While firing or recovering, `recover_at` takes the limit's
    place.
    """
    recover = phase >= FIRING and not np.isnan(rule.recover_at)
    if rule.op == ABOVE:
        limit = rule.recover_at if recover else rule.high
        return value > limit, limit, value - rule.high
    if rule.op == BELOW:
        limit = rule.recover_at if recover else rule.low
        return value < limit, limit, rule.low - value
    nearest = rule.low if value - rule.low < rule.high - value else rule.high
    outside = max(rule.low - value, value - rule.high)
    if rule.op == OUTSIDE:
        return outside > 0.0, nearest, outside
    return outside <= 0.0, nearest, -outside
