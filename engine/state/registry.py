"""Which series a partition has: their keys in one arena, their rows by key, and no object for any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine.kernels.registry import find, index_rows
from engine.state.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_ROOM = 64
_KEY_ROOM = 4_096
_BYTE, _PLACE = np.dtype(np.uint8), np.dtype(np.int64)
_dimensions = msgspec.json.Decoder(dict[str, str]).decode


class Series(NamedTuple):
    """A series of this partition: its KPI's row, dimension values and canonical key."""

    kpi: int
    dimensions: dict[str, str]
    key: str


class Registry:
    """A sequence of `Series`, made of their keys when they are asked for: a key says its KPI and its dimensions."""

    def __init__(self, kpi_row: dict[str, int]) -> None:
        self._kpi_row = kpi_row
        self._keys = Memory(_BYTE, _KEY_ROOM)
        self._starts = Memory(_PLACE, _ROOM)
        self._places = np.zeros(2 * _ROOM, np.int32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Series:
        if not 0 <= row < self._count:
            raise IndexError(row)
        first, last = self._starts.array[row : row + 2].tolist()
        key = self._keys.array[first:last].tobytes().decode()
        kpi = key.index("{")
        return Series(self._kpi_row[key[:kpi]], _dimensions(key[kpi:]), key)

    def __iter__(self) -> Iterator[Series]:
        return map(self.__getitem__, range(self._count))

    @property
    def nbytes(self) -> int:
        """What keys and index take."""
        return int(self._starts.array[self._count]) + self._count * _PLACE.itemsize + self._places.nbytes

    def find(self, key: bytes) -> int:
        """The row of a key, or `kernels.registry.ABSENT`."""
        array = np.frombuffer(key, np.uint8)
        return int(find(self._keys.array, self._starts.array, self._places, array))

    def add(self, key: bytes) -> int:
        """Give a key that is not there yet the next row."""
        row = self._count
        begin = int(self._starts.array[row])
        end = begin + len(key)
        self._make_room(1, end)
        self._starts.array[row + 1] = end
        self._keys.array[begin:end] = np.frombuffer(key, np.uint8)
        self._enter(1)
        return row

    def extend(self, keys: bytes | memoryview, lengths: NDArray[np.int64]) -> None:
        """Give keys that are not there yet the next rows; they stand behind each other in `keys`."""
        row, count = self._count, len(lengths)
        begin = int(self._starts.array[row])
        self._make_room(count, begin + len(keys))
        self._starts.array[row + 1 : row + count + 1] = begin + np.cumsum(lengths)
        self._keys.array[begin : begin + len(keys)] = np.frombuffer(keys, np.uint8)
        self._enter(count)

    def _make_room(self, rows: int, size: int) -> None:
        """Room for so many further rows, and for so many bytes of keys in all."""
        for memory, needed in ((self._starts, self._count + rows + 1), (self._keys, size)):
            if needed > len(memory.array):
                memory.grow(max(needed, 2 * len(memory.array)))

    def _enter(self, rows: int) -> None:
        """Index the keys that were written behind the last; at most half of the index is in use."""
        first, last = self._count, self._count + rows
        size = len(self._places)
        if 2 * last > size:
            while 2 * last > size:
                size *= 2
            self._places = np.zeros(size, np.int32)
            first = 0
        index_rows(self._keys.array, self._starts.array, self._places, first, last)
        self._count = last

    def keys(self, first: int, last: int) -> tuple[memoryview, NDArray[np.int64]]:
        """The keys of the rows from `first` to below `last`, and their lengths: what `extend` takes."""
        starts = self._starts.array[first : last + 1]
        return self._keys.array[starts[0] : starts[-1]].data, np.diff(starts)


def _make_room(memory: Memory, needed: int) -> None:
    if needed > len(memory.array):
        memory.grow(max(needed, 2 * len(memory.array)))
