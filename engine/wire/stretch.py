"""Columns in the making: one stretch of the log, measurement by measurement."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from engine.model.identity import id_hash
from engine.wire.columns import Chunk, Columns

if TYPE_CHECKING:
    from engine.wire.columns import Control, Foreign, Rejected


class Stretch:
    """Typed arrays that grow by one entry a measurement and become numpy columns without a copy."""

    def __init__(self) -> None:
        self._rows = array("i")
        self._times = array("q")
        self._values = array("d")
        self._hashes = array("Q")
        self._revisions = array("i")
        self._flags = array("B")
        self._offsets = array("q")
        self._items = array("i")
        self._ids: list[bytes] = []
        self.asides: list[Rejected | Foreign] = []

    def add(
        self, row: int, time: int, value: float, identifier: bytes, revision: int, flags: int, offset: int, item: int
    ) -> None:
        """One measurement; the names are those of Columns."""
        self._rows.append(row)
        self._times.append(time)
        self._values.append(value)
        self._hashes.append(id_hash(identifier))
        self._revisions.append(revision)
        self._flags.append(flags)
        self._offsets.append(offset)
        self._items.append(item)
        self._ids.append(identifier)

    def __bool__(self) -> bool:
        return bool(self._ids or self.asides)

    def chunk(self, control: Control | None) -> Chunk:
        """Everything added so far; nothing may be added after it."""
        return Chunk(self._columns(), tuple(self.asides), control)

    def _columns(self) -> Columns:
        lengths = np.fromiter(map(len, self._ids), np.int32, len(self._ids))
        starts = np.zeros(len(lengths), np.int32)
        np.cumsum(lengths[:-1], out=starts[1:])
        return Columns(
            row=np.array(self._rows, np.int32, copy=None),
            time=np.array(self._times, np.int64, copy=None),
            value=np.array(self._values, np.float64, copy=None),
            id_hash=np.array(self._hashes, np.uint64, copy=None),
            revision=np.array(self._revisions, np.int32, copy=None),
            flags=np.array(self._flags, np.uint8, copy=None),
            offset=np.array(self._offsets, np.int64, copy=None),
            item=np.array(self._items, np.int32, copy=None),
            id_start=starts,
            id_length=lengths,
            ids=np.frombuffer(b"".join(self._ids), np.uint8),
        )
