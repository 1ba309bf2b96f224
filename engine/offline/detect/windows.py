"""Rows as windows: how far apart they usually are, and the number of each."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from engine.model.time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.offline.detect.times import Place

LOOKED_AT: Final = 25
"""Rows that tell the usual distance. No detector says anything of so few, so none is told of what comes later."""

_USUAL: Final = (
    *(count * SECOND for count in (1, 5, 10, 15, 30)),
    *(count * MINUTE for count in (1, 5, 10, 15, 20, 30)),
    *(count * HOUR for count in (1, 2, 3, 4, 6, 8, 12)),
    *(count * DAY for count in (1, 7)),
)
_NEARLY: Final = 0.02
_MONTH: Final = 28 * DAY


def step_of(places: Sequence[Place]) -> float:
    """The median distance between the first rows, in their unit; of times the usual one that it nearly is."""
    distances = [after.at - before.at for before, after in pairwise(places) if after.at > before.at]
    step = median(distances) if distances else 1.0
    if places[0].is_time:
        return next((usual for usual in _USUAL if abs(step - usual) <= _NEARLY * usual), step)
    return step


class Numbering:
    """Numbers rows by the window of `step` that they fall into; each row has one of its own, later than the one before.

    A gap leaves numbers out. Months and years are of unequal length: from there on (`step` over four weeks) the
    distance to the row before decides.
    """

    def __init__(self, step: float, first: Place) -> None:
        self._step = step
        self._uneven = first.is_time and step >= _MONTH
        self._last = first.at
        self._number = -1 if self._uneven else int(first.at // step) - 1
        self.crowded = 0
        """Rows that did not move on in time from the one before."""
        self._begun = False

    def number_of(self, place: Place) -> int:
        """The number of the next row."""
        if self._uneven:
            number = self._number + round((place.at - self._last) / self._step)
        else:
            number = int(place.at // self._step)
        self.crowded += self._begun and place.at <= self._last
        self._begun = True
        self._number, self._last = max(number, self._number + 1), place.at
        return self._number
