"""Memory that grows where it lies: zero until it is written, and resident only where it was."""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_HUGE = getattr(mmap, "MADV_HUGEPAGE", None)
_HUGE_FROM = 4 * 1024 * 1024
"""Bytes. A table that is not much longer than a huge page would waste one."""


class Memory:
    """Room for rows of one dtype. `array` is all of it; it is another object after `grow`.

    The system moves page tables instead of bytes (mremap): a gigabyte grows in no time and is never there twice. Where
    somebody still looks at the former array, or the system has no mremap, the bytes are copied after all.

    Rows of a long table lie in huge pages, which saves a fifth of the time of a pass over many series in any order.
    With `sparse` they lie in small ones, so that what is written here and there takes no more than that.
    """

    def __init__(self, dtype: np.dtype[Any], room: int, *, sparse: bool = False) -> None:
        self._dtype = dtype
        self._sparse = sparse
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
            with memoryview(self._map) as former:
                larger[: len(former)] = former
            self._map = larger
        if _HUGE is not None and size >= _HUGE_FROM and not self._sparse:
            with suppress(OSError):  # a system without huge pages
                self._map.madvise(_HUGE)
        self.array = np.frombuffer(self._map, self._dtype)
        return self.array
