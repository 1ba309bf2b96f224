"""`trend_break: {}` as a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.kernels.trend_break import trend_break
from engine.kernels.trend_layout import LEVEL_SHAPE, ONSET, SHAPE, SIGN, SIZE, STRETCHES
from engine.offline.detect.detector import Found
from engine.offline.detect.learning import LearningDetector
from engine.offline.detect.trail import Reach
from engine.rules.bind_condition import LEVEL_LIMITS, SLOPE_LIMITS
from engine.rules.lay_trend import lay_trend
from engine.rules.resolved.condition import TrendBreak

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.timing import Window

DEFAULT: Final = TrendBreak(LEVEL_LIMITS["normal"], SLOPE_LIMITS["normal"], None, 0.0, relative=False, learn=None)
"""`trend_break: {}`."""


class TrendDetector(LearningDetector):
    """Lasting shifts of level and slope."""

    def __init__(self, step: Micros | None, condition: TrendBreak = DEFAULT) -> None:
        self._condition = condition
        super().__init__(step)

    @property
    def reach(self) -> Reach:
        """The windows under test, and the stretches that a slope is taken from, with the one that goes on."""
        return Reach(int(self._rule["ring"]), (STRETCHES + 1) * int(self._rule["stretch"]))

    def _lay(self, row: NDArray[np.void], window: Window) -> None:
        lay_trend(row, self._condition, window, 0)

    def _judge(self, number: int, value: float) -> tuple[bool, bool, float, float, float, float]:
        return trend_break(self._history, 0, self._rule, number, value, self._scratch)

    def _found(self, number: int, _value: float, statistic: float, _usual: float) -> Found:
        held = self._history
        onset, direction = int(held[ONSET]), "up" if held[SIGN] > 0 else "down"
        windows = 1 if held[SHAPE] == LEVEL_SHAPE else number - onset + 1
        return Found(onset, direction, float(held[SIZE]) * windows, statistic)  # type: ignore[arg-type]
