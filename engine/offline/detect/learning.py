"""A condition that learns as a detector: its compiled kernel, with the parameters that a rule would have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import nextafter
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.kernels import layout
from engine.offline.detect.detector import QUIET, Found, Verdict
from engine.rules.resolved.timing import Window
from engine.rules.season import WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.model.time import Micros

_SEASONLESS: Final = Window(WEEK, WEEK)
_BELOW_ALARM: Final = nextafter(1.0, 0.0)


class LearningDetector(ABC):
    """Windows of `step` microseconds; None: of no known length, without season.

    The score is the statistic over its limit until the condition holds, and 0 while it goes on to.
    """

    def __init__(self, step: Micros | None) -> None:
        row = np.zeros(1, layout.RULE)
        self._lay(row[0], _SEASONLESS if step is None else Window(step, step))
        self._rule = row[0]
        self._history = np.full(int(self._rule["width"]), np.nan)
        self._scratch = np.zeros(int(self._rule["scratch"]) + 1)
        self._holds = False

    @abstractmethod
    def _lay(self, row: NDArray[np.void], window: Window) -> None:
        """Fill the row of the rule."""

    @abstractmethod
    def _judge(self, number: int, value: float) -> tuple[bool, bool, float, float, float, float]:
        """(known, breach, statistic, limit, baseline, excess), by the kernel."""

    @abstractmethod
    def _found(self, number: int, value: float, statistic: float, usual: float) -> Found:
        """What began to hold."""

    def step(self, number: int, value: float) -> Verdict:
        """Judge a window."""
        known, holds, statistic, limit, usual, _ = self._judge(number, value)
        began, quiet = holds and not self._holds, self._holds or holds
        self._holds = holds
        if began:
            return Verdict(max(statistic / limit, 1.0), self._found(number, value, statistic, usual))
        if not known or quiet:
            return QUIET
        return Verdict(min(statistic / limit, _BELOW_ALARM))
