"""A target that a KPI cannot miss: even the worst of many windows stays far on its good side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.governance.statistics import robust_sigma
from engine.model.governance import EasyTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.resolved.catalogue import Direction


def easy_target(
    values: Sequence[float], target: float, direction: Direction, margin: float
) -> tuple[bool | None, EasyTarget]:
    """Whether the target is easy over these windows, and by what; None between easy and not: what was said stands."""
    good = 1 if direction == "higher_is_better" else -1
    least = min([good * (value - target) for value in values])
    sigma = robust_sigma(values)
    found = EasyTarget(least, sigma, margin)
    if least <= 0 or least < margin * sigma / 2:
        return False, found
    return True if least >= margin * sigma else None, found
