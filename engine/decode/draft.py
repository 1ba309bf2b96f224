"""Columns in the making: what the kernels put in, and what the reference decoder has to say in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels.blake2b import HEX, SCRATCH
from engine.kernels.scan.derived import TEXT_BYTES
from engine.kernels.scan.scan import Out
from engine.wire.columns import Chunk, Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.wire.columns import Control, Foreign, Rejected
    from engine.wire.stretch import Stretch

_DTYPES = {
    "row": np.int32,
    "time": np.int64,
    "value": np.float64,
    "id_hash": np.uint64,
    "revision": np.int32,
    "flags": np.uint8,
    "offset": np.int64,
    "id_start": np.int32,
    "id_length": np.int32,
}
_ROOM = 8_192


class Draft:
    """One stretch of the log after the other, in the same arrays: new ones for each would cost more than filling them.

    `out` is what kernels fill. Ids stand in the batch's data, those that were made behind it, those of the reference
    decoder behind these.
    """

    def __init__(self) -> None:
        self.out = Out(
            **{name: np.empty(_ROOM, dtype) for name, dtype in _DTYPES.items()},
            made=np.empty(_ROOM * HEX, np.uint8),
            text=np.zeros(TEXT_BYTES, np.uint8),
            scratch=np.zeros(SCRATCH, np.uint64),
            used=np.zeros(2, np.int64),
        )
        self._items = np.zeros(_ROOM, np.int32)
        self.begin(np.empty(0, np.uint8), 0)

    def begin(self, data: NDArray[np.uint8], room: int) -> None:
        """Begin a stretch of at most `room` records of `data`."""
        self._data = data
        self._asides: list[Rejected | Foreign] = []
        self._more: list[NDArray[np.uint8]] = []
        self.out.used[:] = 0
        self._items[:] = 0
        self._room = room
        self._make_room(room)
        self._ids_end = len(data) + self._made_bytes

    @property
    def count(self) -> int:
        """Measurements so far."""
        return int(self.out.used[0])

    def __bool__(self) -> bool:
        return bool(self.count or self._asides)

    def extend(self, stretch: Stretch) -> None:
        """Add what the reference decoder made of some records. There is room for all records of the batch after it."""
        if not stretch:
            return
        columns, asides, _ = stretch.chunk(None)
        first = self.count
        last = first + len(columns.row)
        self._asides.extend(asides)
        self._make_room(last + self._room)
        for name in _DTYPES:
            getattr(self.out, name)[first:last] = getattr(columns, name)
        self.out.id_start[first:last] += self._ids_end
        self._items[first:last] = columns.item
        self._more.append(columns.ids)
        self._ids_end += len(columns.ids)
        self.out.used[0] = last

    def _make_room(self, needed: int) -> None:
        """Longer arrays where so many do not fit; what stands in them stays."""
        if needed <= len(self._items):
            return
        more = 2 * needed - len(self._items)
        self._items = np.concatenate([self._items, np.zeros(more, np.int32)])
        longer = {name: np.concatenate([getattr(self.out, name), np.empty(more, _DTYPES[name])]) for name in _DTYPES}
        made = np.concatenate([self.out.made, np.empty(more * HEX, np.uint8)])
        self.out = self.out._replace(made=made, **longer)

    def chunk(self, control: Control | None) -> Chunk:
        """Everything so far. It is void when the next stretch begins."""
        count, out = self.count, self.out
        columns = Columns(
            **{name: getattr(out, name)[:count] for name in _DTYPES},
            item=self._items[:count],
            ids=self._ids(),
        )
        return Chunk(columns, tuple(self._asides), control)

    @property
    def _made_bytes(self) -> int:
        """The most that ids made for the records of a batch take."""
        return self._room * HEX

    def _ids(self) -> NDArray[np.uint8]:
        """All bytes that ids stand in, without a copy where they stand in the messages."""
        if self._more:
            return np.concatenate([self._data, self.out.made[: self._made_bytes], *self._more])
        made = int(self.out.used[1]) * HEX
        return np.concatenate([self._data, self.out.made[:made]]) if made else self._data
