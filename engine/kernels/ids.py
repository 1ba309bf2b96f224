"""The ledger of accepted measurement ids: a list in order of acceptance, and an open-addressing index over it.

The list is what a checkpoint keeps; the index is derived. Entries are exact on (series row, 64-bit id hash).

A place of the index holds position + 1, 0 where it is empty, and above that, where no position of an index of its
length reaches, some bits of the hash: ids that only stand in the way are passed without a look at the ledger, which
lies all over the memory. At most half of the places are in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT = -1
_AHEAD = 16
"""How many entries before its turn the place of one is brought into the cache: they lie all over a large index."""


@jit
def _mixed(hashed: int, row: int) -> np.uint64:
    """Fibonacci hashing of (row, hash), since id hashes of one source may share low bits."""
    return (np.uint64(hashed) ^ (np.uint64(row) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xD6E8FEB86659FD93)


@jit
def place_of(hashed: int, row: int, size: int) -> int:
    """Where the probe for (row, hash) begins, in an index of `size` places."""
    return np.int64((_mixed(hashed, row) >> np.uint64(32)) & np.uint64(size - 1))


@jit
def _tag_of(hashed: int, row: int, size: int) -> np.uint32:
    """What marks (row, hash) in the bits of a place that a position cannot need."""
    return np.uint32(_mixed(hashed, row)) & ~np.uint32(size - 1)


@jit
def find(ids: NDArray[np.void], places: NDArray[np.uint32], row: int, hashed: int) -> int:
    """The ledger position of (row, hash), or ABSENT."""
    size = len(places)
    tag, low = _tag_of(hashed, row, size), np.uint32(size - 1)
    place = place_of(hashed, row, size)
    while places[place] != 0:
        if places[place] & ~low == tag:
            position = np.int64(places[place] & low) - 1
            if ids[position].hash == hashed and ids[position].row == row:
                return position
        place = (place + 1) & (size - 1)
    return ABSENT


@jit
def index_one(ids: NDArray[np.void], places: NDArray[np.uint32], position: int) -> None:
    """Enter the ledger's `position` into the index; it must not be there yet."""
    size = len(places)
    entry = ids[position]
    place = place_of(entry.hash, entry.row, size)
    while places[place] != 0:
        place = (place + 1) & (size - 1)
    places[place] = _tag_of(entry.hash, entry.row, size) | np.uint32(position + 1)


@jit
def index_all(ids: NDArray[np.void], places: NDArray[np.uint32], count: int) -> None:
    """Build the index of the first `count` entries into an empty `places`."""
    size = len(places)
    for position in range(count):
        ahead = ids[min(position + _AHEAD, count - 1)]
        prefetch(places, place_of(ahead.hash, ahead.row, size), 0)
        index_one(ids, places, position)


@jit
def forget(ids: NDArray[np.void], count: int, floors: NDArray[np.int64]) -> int:
    """Of the first `count` entries keep those not below their series' floor, in order; returns how many these are."""
    kept = 0
    for position in range(count):
        if ids[position].time >= floors[ids[position].row]:
            ids[kept] = ids[position]
            kept += 1
    return kept
