"""A target that a KPI cannot miss: even the worst of many windows stays far on its good side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.governance.statistics import robust_sigma
from engine.model.governance import EasyTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.resolved.catalogue import Direction


def easy_target(values: Sequence[float], target: float, direction: Direction, margin: float) -> tuple[bool, EasyTarget]:
    """Whether it fires over these windows, and by what."""
    good = 1 if direction == "higher_is_better" else -1
    least = min([good * (value - target) for value in values])
    sigma = robust_sigma(values)
    return least > 0 and least >= margin * sigma, EasyTarget(least, sigma, margin)
