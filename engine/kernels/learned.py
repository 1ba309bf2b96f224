"""What the kernels that learn from a series have in common."""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit

LARGEST = 1e140
"""Values are held within this, so that no square of a deviation overflows."""


@jit
def held_within(value: float) -> float:
    """The value, or the largest that is computed with."""
    return min(max(value, -LARGEST), LARGEST)


@jit
def slot_of(rule: Any, index: int) -> int:
    """The slot of the season that window `index` falls into."""
    return (index % rule.season) * rule.slots // rule.season
