"""Series keys by row in one arena of bytes, and an open-addressing index over them.

Keys are compared byte for byte: no collision of hashes can merge two series. The hash is the partitioner's own
(`wire.partition.murmur2`), which a new key is asked for anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import load32, same_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT = -1


@jit
def murmur2(keys: NDArray[np.uint8], begin: int, end: int) -> int:
    """MurmurHash2 of a stretch of bytes as Java's Kafka client computes it, as an unsigned 32-bit number."""
    multiplier = np.uint32(0x5BD1E995)
    h = np.uint32(0x9747B28C) ^ np.uint32(end - begin)
    while begin + 4 <= end:
        k = np.uint32(load32(keys, begin) * multiplier)
        k ^= k >> np.uint32(24)
        h = np.uint32(h * multiplier) ^ np.uint32(k * multiplier)
        begin += 4
    if begin < end:
        for place in range(end - begin):
            h ^= np.uint32(keys[begin + place]) << np.uint32(8 * place)
        h = np.uint32(h * multiplier)
    h ^= h >> np.uint32(13)
    h = np.uint32(h * multiplier)
    return np.int64(h ^ h >> np.uint32(15))


@jit
def _place_of(hashed: int, size: int) -> int:
    """Where the probe begins: Fibonacci hashing, since the keys of one partition share a remainder."""
    return np.int64((np.uint64(hashed) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (size - 1)


@jit
def find(keys: NDArray[np.uint8], starts: NDArray[np.int64], places: NDArray[np.int32], key: NDArray[np.uint8]) -> int:
    """The row of `key`, or ABSENT. Row `n` has the bytes from `starts[n]` to `starts[n + 1]` of `keys`."""
    size = len(places)
    place = _place_of(murmur2(key, 0, len(key)), size)
    while places[place] != 0:
        row = places[place] - 1
        start = starts[row]
        if starts[row + 1] - start == len(key) and same_bytes(keys, start, key, 0, len(key)):
            return row
        place = (place + 1) & (size - 1)
    return ABSENT


@jit
def index_rows(
    keys: NDArray[np.uint8], starts: NDArray[np.int64], places: NDArray[np.int32], first: int, last: int
) -> None:
    """Enter the rows from `first` to below `last` into the index; none of them may be there yet."""
    size = len(places)
    for row in range(first, last):
        place = _place_of(murmur2(keys, starts[row], starts[row + 1]), size)
        while places[place] != 0:
            place = (place + 1) & (size - 1)
        places[place] = row + 1
