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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.condition import TrendBreak
    from engine.rules.resolved.timing import Window

WEEK = 7 * DAY
SHORT = 30 * MINUTE
"""Below it the season is the day: a week has too many windows to be learned twice before anything is said."""
WEEK_SLOTS, DAY_SLOTS = 336, 144


def lay_trend(row: NDArray[np.void], condition: TrendBreak, window: Window, for_: Micros) -> None:
    """Fill the row of a rule with this window and `for`."""
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
    row["season"], row["slots"] = season_of(window)
    row["stretch"] = max(1, DAY // window.step)
    row["stretches"] = STRETCHES if row["shapes"] & SLOPE_SHAPE else 0
    row["lasting"] = max(int(row["ring"]), for_ // window.step + 1)
    row["count"], row["scratch"] = EVIDENCE_FLOATS, SCRATCH_FLOATS
    row["width"] = floats_of(int(row["ring"]), int(row["stretches"]), int(row["slots"]))


def season_of(window: Window) -> tuple[int, int]:
    """(windows a season, slots that it is learned in): the week, for windows under half an hour the day; (1, 1) where
    windows do not divide it.
    """
    if window.zone is not None:
        return 7, 7
    season, slots = (DAY, DAY_SLOTS) if window.step < SHORT else (WEEK, WEEK_SLOTS)
    if season % window.step or season == window.step:
        return 1, 1
    windows = season // window.step
    return windows, min(windows, slots)
