"""`trend_break: {}` as a detector: the compiled kernel of the engine, with the parameters that rules have unless they
say otherwise.
"""

from __future__ import annotations

from math import nextafter
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.kernels import layout
from engine.kernels.trend_break import trend_break
from engine.kernels.trend_layout import LEVEL_SHAPE, LIMIT, ONSET, SHAPE, SIGN, SIZE, STATISTIC
from engine.offline.detect.detector import QUIET, Found, Verdict
from engine.rules.bind_condition import LEVEL_LIMITS, SLOPE_LIMITS
from engine.rules.lay_trend import WEEK, lay_trend
from engine.rules.resolved.condition import TrendBreak
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from engine.model.time import Micros

DEFAULT: Final = TrendBreak(LEVEL_LIMITS["normal"], SLOPE_LIMITS["normal"], None, 0.0, relative=False, learn=None)
"""`trend_break: {}`."""

_SEASONLESS: Final = Window(WEEK, WEEK)
_BELOW_ALARM: Final = nextafter(1.0, 0.0)


class TrendDetector:
    """Lasting shifts of level and slope in windows of `step` microseconds; None: of no known length, without season.

    The score is the statistic over its limit while nothing is broken, and 0 while a break goes on.
    """

    def __init__(self, step: Micros | None, condition: TrendBreak = DEFAULT) -> None:
        row = np.zeros(1, layout.RULE)
        lay_trend(row[0], condition, _SEASONLESS if step is None else Window(step, step), 0)
        self._rule = row[0]
        self._history = np.full(int(self._rule["width"]), np.nan)
        self._scratch = np.zeros(int(self._rule["scratch"]) + 1)
        self._broken = False

    def step(self, number: int, value: float) -> Verdict:
        """Judge a window."""
        known, broken, _, _, _, _ = trend_break(self._history, 0, self._rule, number, value, self._scratch)
        alarm, quiet = broken and not self._broken, self._broken or broken
        self._broken = broken
        if alarm:
            return self._alarm(number)
        if not known or quiet:
            return QUIET
        return Verdict(min(float(self._history[STATISTIC] / self._history[LIMIT]), _BELOW_ALARM))

    def _alarm(self, number: int) -> Verdict:
        held = self._history
        onset, statistic = int(held[ONSET]), float(held[STATISTIC])
        windows = 1 if held[SHAPE] == LEVEL_SHAPE else number - onset + 1
        direction = "up" if held[SIGN] > 0 else "down"
        found = Found(onset, direction, float(held[SIZE]) * windows, statistic)  # type: ignore[arg-type]
        return Verdict(max(statistic / float(held[LIMIT]), 1.0), found)
