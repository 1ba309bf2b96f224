"""The ledger of accepted measurement ids: a list in order of acceptance, and an open-addressing index over it.

The list is what a checkpoint keeps; the index is derived. Entries are exact on (series row, 64-bit id hash).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT = -1


@jit
def place_of(hashed: int, row: int, size: int) -> int:
    """Where the probe for (row, hash) begins: Fibonacci hashing, since id hashes of one source may share low bits."""
    mixed = (np.uint64(hashed) ^ (np.uint64(row) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xD6E8FEB86659FD93)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


@jit
def find(ids: NDArray[np.void], places: NDArray[np.int32], row: int, hashed: int) -> int:
    """The ledger position of (row, hash), or ABSENT."""
    size = len(places)
    place = place_of(hashed, row, size)
    while places[place] != 0:
        position = places[place] - 1
        if ids[position].hash == hashed and ids[position].row == row:
            return position
        place = (place + 1) & (size - 1)
    return ABSENT


@jit
def index_one(ids: NDArray[np.void], places: NDArray[np.int32], position: int) -> None:
    """Enter the ledger's `position` into the index; it must not be there yet."""
    size = len(places)
    place = place_of(ids[position].hash, ids[position].row, size)
    while places[place] != 0:
        place = (place + 1) & (size - 1)
    places[place] = position + 1


@jit
def index_all(ids: NDArray[np.void], places: NDArray[np.int32], count: int) -> None:
    """Build the index of the first `count` entries into an empty `places`."""
    for position in range(count):
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
