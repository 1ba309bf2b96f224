"""Memory that grows where it lies: zero until it is written, and resident only where it was."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


class Memory:
    """Room for rows of one dtype. `array` is all of it; it is another object after `grow`.

    The system moves page tables instead of bytes (mremap): a gigabyte grows in no time and is never there twice.
    Where somebody still looks at the former array, or the system has no mremap, the bytes are copied after all.
    """

    def __init__(self, dtype: np.dtype[Any], room: int) -> None:
        self._dtype = dtype
        self._map = mmap.mmap(-1, room * dtype.itemsize, flags=_PRIVATE)
        self.array: NDArray[Any] = np.frombuffer(self._map, dtype)

    def grow(self, room: int) -> NDArray[Any]:
        """Make it `room` rows, the new ones zero. The caller has let go of the former array."""
        size = room * self._dtype.itemsize
        del self.array
        try:
            self._map.resize(size)
        except (BufferError, SystemError):
            larger = mmap.mmap(-1, size, flags=_PRIVATE)
            larger[: len(self._map)] = self._map[:]
            self._map = larger
        self.array = np.frombuffer(self._map, self._dtype)
        return self.array
