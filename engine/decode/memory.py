"""The spellings of series that the scanner knows: arrays with room to spare, doubled when it is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels.scan.spellings import ROOM_BYTES, SPELLING, Spellings, index_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTRIES_MAX = 4_000_000
ARENA_BYTES_MAX = 512 * 1024 * 1024
"""Past one of these the memory starts anew."""
_ENTRIES, _ARENA_BYTES = 1_024, 64 * 1_024


class SpellingMemory:
    """`spellings` is what kernels take; another object whenever something grew."""

    def __init__(self) -> None:
        self.spellings = _empty()

    def forget(self) -> None:
        """Know no series any more."""
        self.spellings = _empty()

    def make_room(self, length: int) -> None:
        """Room for one more spelling, of at most `length` bytes."""
        entries, arena = self.spellings.entries, self.spellings.arena
        count, used = (int(number) for number in self.spellings.used)
        if count >= ENTRIES_MAX or used + length > ARENA_BYTES_MAX:
            self.forget()
        elif count == len(entries):
            self._grow(entries=_longer(entries, count), places=np.zeros(4 * count, np.int32))
            index_all(self.spellings)
        elif used + length + ROOM_BYTES > len(arena):
            self._grow(arena=_longer(arena, used + length))

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
