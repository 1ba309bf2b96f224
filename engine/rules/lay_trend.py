"""A trend_break rule as a row of parameters: its season, its stretches, and how many floats an instance keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels.layout import TREND
from engine.kernels.trend_layout import (
    EVIDENCE_FLOATS,
    LEVEL_SHAPE,
    RING,
    SCRATCH_FLOATS,
    SLOPE_SHAPE,
    STRETCHES,
    floats_of,
)
from engine.model.time import DAY, MINUTE
from engine.rules.season import season_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.condition import TrendBreak
    from engine.rules.resolved.timing import Window

SLOT = 10 * MINUTE
"""Of the season of a day."""


def lay_trend(row: NDArray[np.void], condition: TrendBreak, window: Window, waits: Micros) -> None:
    """Fill the row of a rule on such windows that waits so long with its break on before it fires."""
    row["kind"] = TREND
    for shape, limit, name in (
        (LEVEL_SHAPE, condition.level_limit, "level_limit"),
        (SLOPE_SHAPE, condition.slope_limit, "slope_limit"),
    ):
        if limit is not None:
            row["shapes"] |= shape
            row[name] = limit
    row["direction"] = {"up": 1, "down": -1, None: 0}[condition.direction]
    row["up"], row["relative"] = condition.at_least, condition.relative
    row["learn"] = 0 if condition.learn is None else condition.learn
    row["ring"] = RING if condition.learn is None else min(RING, condition.learn)
    row["season"], row["slots"] = season_of(window, SLOT)
    row["stretch"] = max(1, DAY // window.step)
    row["stretches"] = STRETCHES if row["shapes"] & SLOPE_SHAPE else 0
    row["lasting"] = max(int(row["ring"]), waits // window.step + 1)
    row["count"], row["scratch"] = EVIDENCE_FLOATS, SCRATCH_FLOATS
    row["width"] = floats_of(int(row["ring"]), int(row["stretches"]), int(row["slots"]))
