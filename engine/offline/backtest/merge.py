"""Several files as one history: by event time, each file in its own order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.model.time import NEVER
from engine.offline.backtest.columns import chosen, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.wire.columns import Columns

    Blocks = Iterator[Columns]


class _Held(NamedTuple):
    """What was read of a file and not passed on: `reached` is the newest time up to each measurement."""

    columns: Columns
    reached: NDArray[np.int64]


def merged(files: Sequence[Blocks]) -> Iterator[Columns]:
    """Measurements of all files, sorted by the newest time that their file has reached.

    A file in the order of time is merged by time; one that is not keeps its order, as a log would. Of equals the one of
    the earlier file comes first. A single file passes through.
    """
    if len(files) == 1:
        yield from files[0]
        return
    readers = [_File(blocks) for blocks in files]
    while waiting := [reader for reader in readers if reader.fill()]:
        until = min(reader.last for reader in waiting)
        parts = [reader.take(until) for reader in waiting]
        order = np.argsort(np.concatenate([part.reached for part in parts]), kind="stable")
        yield chosen(joined([part.columns for part in parts]), order)


class _File:
    """One file, of which a block is held."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._newest: Micros = NEVER
        self._held: _Held | None = None

    @property
    def last(self) -> Micros:
        """How far the block that is held reaches; what the file holds behind it reaches as far, or further."""
        return self._newest

    def fill(self) -> bool:
        """Hold something; False at the end of the file."""
        while self._held is None:
            columns = next(self._blocks, None)
            if columns is None:
                return False
            if len(columns.row):
                reached = np.maximum(np.maximum.accumulate(columns.time), self._newest)
                self._newest = int(reached[-1])
                self._held = _Held(columns, reached)
        return True

    def take(self, until: Micros) -> _Held:
        """What reaches up to `until`; the rest is held further."""
        held = self._held
        if held is None:
            raise LookupError("expected a block that is held; call fill first")
        count = int(np.searchsorted(held.reached, until, side="right"))
        rest = slice(count, None)
        more = count < len(held.reached)
        self._held = _Held(chosen(held.columns, rest), held.reached[rest]) if more else None
        return _Held(chosen(held.columns, slice(0, count)), held.reached[:count])
