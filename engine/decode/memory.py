"""The spellings of series that the scanner knows: arrays with room to spare, doubled when it is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels.scan.spellings import SPELLING, Spellings, index_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTRIES_MAX = 4_000_000
ARENA_BYTES_MAX = 512 * 1024 * 1024
"""Past one of these the memory starts anew."""
_ENTRIES, _ARENA_BYTES = 1_024, 64 * 1_024
_AROUND = 64


class SpellingMemory:
    """`spellings` is what kernels take; another object whenever something grew."""

    def __init__(self) -> None:
        self.spellings = _empty()

    def forget(self) -> None:
        """Know no series any more."""
        self.spellings = _empty()

    def make_room(self, length: int) -> None:
        """Room for one more spelling, from a message of `length` bytes, and for what its derived ids begin with."""
        needed = 3 * length + _AROUND  # in that beginning each quotation mark takes two bytes
        count, used = (int(number) for number in self.spellings.used)
        if count >= ENTRIES_MAX or used + needed > ARENA_BYTES_MAX:
            self.forget()
            count = used = 0
        if count == len(self.spellings.entries):
            self._grow(entries=_longer(self.spellings.entries, count), places=np.zeros(4 * count, np.int32))
            index_all(self.spellings)
        if used + needed > len(self.spellings.arena):
            self._grow(arena=_longer(self.spellings.arena, used + needed))

    def _grow(self, **arrays: NDArray[Any]) -> None:
        self.spellings = self.spellings._replace(**arrays)


def _empty() -> Spellings:
    return Spellings(
        places=np.zeros(2 * _ENTRIES, np.int32),
        entries=np.zeros(_ENTRIES, SPELLING),
        arena=np.zeros(_ARENA_BYTES, np.uint8),
        used=np.zeros(2, np.int64),
    )


def _longer(array: NDArray[Any], by: int) -> NDArray[Any]:
    return np.concatenate([array, np.zeros(by, array.dtype)])
