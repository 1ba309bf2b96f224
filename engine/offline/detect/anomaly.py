"""`anomaly: {}` as a detector: the compiled kernel of the engine, with the parameters that rules have unless they say
otherwise.
"""

from __future__ import annotations

from math import nextafter
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.kernels import layout
from engine.kernels.anomaly import anomaly
from engine.offline.detect.detector import QUIET, Found, Verdict
from engine.rules.bind_condition import SCORE_LIMITS
from engine.rules.lay_anomaly import WEEK, lay_anomaly
from engine.rules.resolved.condition import Anomaly
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from engine.model.time import Micros

DEFAULT: Final = Anomaly(SCORE_LIMITS["normal"], None, None, 0.0, relative=False, learn=None)
"""`anomaly: {}`."""

_SEASONLESS: Final = Window(WEEK, WEEK)
_BELOW_ALARM: Final = nextafter(1.0, 0.0)


class AnomalyDetector:
    """Windows of `step` microseconds outside their usual band; None: of no known length, without season.

    The score is that of the rule over its limit until an incident begins, and 0 while it goes on.
    """

    def __init__(self, step: Micros | None, condition: Anomaly = DEFAULT) -> None:
        row = np.zeros(1, layout.RULE)
        lay_anomaly(row[0], condition, _SEASONLESS if step is None else Window(step, step), 0)
        self._rule = row[0]
        self._history = np.full(int(self._rule["width"]), np.nan)
        self._scratch = np.zeros(int(self._rule["scratch"]) + 1)
        self._unusual = False

    def step(self, number: int, value: float) -> Verdict:
        """Judge a window."""
        known, unusual, score, limit, usual, _ = anomaly(self._history, 0, self._rule, number, value, self._scratch)
        began, quiet = unusual and not self._unusual, self._unusual or unusual
        self._unusual = unusual
        if began:
            found = Found(number, "up" if value > usual else "down", value - usual, score)
            return Verdict(max(score / limit, 1.0), found)
        if not known or quiet:
            return QUIET
        return Verdict(min(score / limit, _BELOW_ALARM))
