"""Time as it moves with the data: the ticks that belong between measurements.

As in `client.replay`, tick k (time k x interval) stands behind all measurements up to its time and before the first
later one. A measurement that comes behind the clock moves nothing: lateness decides what it still counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.client.replay import TICKS_AT_ONCE_MAX
from engine.errors import ConfigError
from engine.model.records import Tick
from engine.model.time import NEVER, format_time
from engine.offline.backtest.columns import chosen, nothing
from engine.wire.columns import Chunk, Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from engine.model.records import Activate
    from engine.model.time import Micros
    from engine.wire.columns import Columns

    Place = Callable[[int], str]


class Piece(NamedTuple):
    """A chunk with offsets of a log, and the places that its measurements came with."""

    chunk: Chunk
    places: NDArray[np.int64]


class Clock:
    """Gives a history its ticks `every` so often, and its offsets. `behind` measurements came behind the clock, at most
    `furthest` microseconds behind the newest one.
    """

    def __init__(self, every: Micros) -> None:
        self._tick: int | None = None
        self._offset = 0
        self.first: Micros | None = None
        self.newest: Micros = NEVER
        self.every = every
        self.ticks = 0
        self.behind = 0
        self.furthest: Micros = 0

    def begin(self, record: Activate) -> Piece:
        """What stands before everything."""
        return _piece(nothing(), self.offsets(0), Control(self.offsets(1), record))

    def cut(self, columns: Columns, place: Place) -> Iterator[Piece]:
        """Measurements with the ticks between them. ConfigError where one is too far ahead; `place` says where."""
        if len(columns.row) == 0:
            return
        reached = np.maximum(np.maximum.accumulate(columns.time), self.newest)
        due = -(-reached // self.every) - 1  # the last tick whose time is before the newest measurement
        if self._tick is None:
            self.first, self._tick = int(columns.time[0]), int(due[0]) - 1
        self._note_behind(columns.time, reached, due)
        begin = 0
        for step in np.flatnonzero(np.diff(due, prepend=self._tick)).tolist():
            self._check(int(due[step]), columns, step, place)
            yield from self._stretch(chosen(columns, slice(begin, step)), int(due[step]))
            begin = step
        self.newest = int(reached[-1])
        rest = chosen(columns, slice(begin, None))
        yield _piece(rest, self.offsets(len(rest.row)), None)

    def finish(self, extra: Micros) -> Iterator[Piece]:
        """The ticks up to `extra` past the newest measurement."""
        if self._tick is not None:
            yield from self._stretch(nothing(), (self.newest + extra) // self.every)

    def _stretch(self, columns: Columns, last: int) -> Iterator[Piece]:
        """Measurements, and the ticks up to number `last` behind them."""
        first = last if self._tick is None else self._tick + 1
        for number in range(first, last + 1):
            offset = self.offsets(len(columns.row))
            tick = Tick("replay", number, format_time(number * self.every))
            yield _piece(columns, offset, Control(self.offsets(1), tick))
            columns = nothing()
            self._tick = number
            self.ticks += 1

    def offsets(self, count: int) -> int:
        """Give out so many offsets of the log; the first of them."""
        first = self._offset
        self._offset += count
        return first

    def _note_behind(self, times: NDArray[np.int64], reached: NDArray[np.int64], due: NDArray[np.int64]) -> None:
        behind = -(-times // self.every) - 1 < due
        count = int(np.count_nonzero(behind))
        if count:
            self.behind += count
            self.furthest = max(self.furthest, int((reached - times)[behind].max()))

    def _check(self, due: int, columns: Columns, step: int, place: Place) -> None:
        if self._tick is not None and due - self._tick > TICKS_AT_ONCE_MAX:
            problem = (
                f"{place(int(columns.offset[step]))}: expected at most {TICKS_AT_ONCE_MAX:,} ticks between two "
                f"measurements, found {due - self._tick:,} before {format_time(int(columns.time[step]))}; mend the "
                f"time, or take a longer interval (--ticks)"
            )
            raise ConfigError([problem])


def _piece(columns: Columns, offset: int, control: Control | None) -> Piece:
    offsets = np.arange(offset, offset + len(columns.row))
    return Piece(Chunk(columns._replace(offset=offsets), (), control), columns.offset)
