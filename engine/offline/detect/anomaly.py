"""`anomaly: {}` as a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.kernels.anomaly import anomaly
from engine.offline.detect.detector import Found
from engine.offline.detect.learning import LearningDetector
from engine.offline.detect.trail import Reach
from engine.rules.bind_condition import SCORE_LIMITS
from engine.rules.lay_anomaly import lay_anomaly
from engine.rules.resolved.condition import Anomaly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.timing import Window

DEFAULT: Final = Anomaly(SCORE_LIMITS["normal"], None, None, 0.0, relative=False, learn=None)
"""`anomaly: {}`."""


class AnomalyDetector(LearningDetector):
    """Windows outside their usual band."""

    def __init__(self, step: Micros | None, condition: Anomaly = DEFAULT) -> None:
        self._condition = condition
        super().__init__(step)

    @property
    def reach(self) -> Reach:
        """An anomaly begins where it is seen."""
        return Reach(1, 0)

    def _lay(self, row: NDArray[np.void], window: Window) -> None:
        lay_anomaly(row, self._condition, window, 0)

    def _judge(self, number: int, value: float) -> tuple[bool, bool, float, float, float, float]:
        return anomaly(self._history, 0, self._rule, number, value, self._scratch)

    def _found(self, number: int, value: float, statistic: float, usual: float) -> Found:
        return Found(number, "up" if value > usual else "down", value - usual, statistic)
