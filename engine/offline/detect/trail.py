"""Which row an onset lies in: as much of the way back as a detector can still name, however long the series is."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import NamedTuple


class Reach(NamedTuple):
    """How far back an onset may lie: among the last `values` rows that have a value, or the last `windows` windows."""

    values: int
    windows: int


class _Run(NamedTuple):
    """Rows whose windows follow each other: the number of the first one's window, and its row."""

    number: int
    row: int


class Trail:
    """Rows come in order, each with the number of its window, higher than the one before; rows that follow each other
    without a gap are kept as one.
    """

    def __init__(self, reach: Reach) -> None:
        self._runs: deque[_Run] = deque()
        self._values: deque[int] = deque(maxlen=reach.values)
        self._windows = reach.windows
        self._rows = 0
        self._next = 0

    def __len__(self) -> int:
        """How many things are kept."""
        return len(self._runs) + len(self._values)

    def add(self, number: int, *, has_value: bool) -> None:
        """Take the next row."""
        if not self._runs or number != self._next:
            self._runs.append(_Run(number, self._rows))
        self._rows, self._next = self._rows + 1, number + 1
        if has_value:
            self._values.append(number)
        floor = min(self._values[0] if self._values else number, number - self._windows)
        while len(self._runs) > 1 and self._runs[1].number <= floor:
            self._runs.popleft()

    def row_of(self, number: int) -> int:
        """The first row at window `number` or later, the newest where there is none."""
        place = bisect_right(self._runs, number, key=lambda run: run.number) - 1
        if place < 0:
            return self._runs[0].row
        end = self._runs[place + 1].row if place + 1 < len(self._runs) else self._rows - 1
        return min(self._runs[place].row + number - self._runs[place].number, end)
