"""Spellings: the bytes by which a message names its series, and the row of that series.

An open-addressing index over entries, whose bytes lie in one arena: KPI, dimensions and source, end to end. They are
compared, not only their hashes: no collision can take one series for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import same_bytes
from engine.kernels.xxh64 import xxh64

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPELLING = np.dtype(
    [
        ("hash", "u8"),
        ("start", "i8"),
        ("beginning", "i8"),
        ("beginning_length", "i4"),
        ("kpi_length", "i4"),
        ("dimensions_length", "i4"),
        ("source_length", "i4"),
        ("row", "i4"),
    ],
    align=True,
)
"""Lengths as in MESSAGE; `start`: where its bytes begin in the arena. `beginning`: what its derived ids are made of
before the time, where a message without an id has been seen (else its length is 0).
"""

NOT_THERE = -1


class Spellings(NamedTuple):
    """`places`: position + 1 in `entries`, 0 empty, as many as a power of two; `used`: how many entries, how many bytes
    of the arena.
    """

    places: NDArray[np.int32]
    entries: NDArray[np.void]
    arena: NDArray[np.uint8]
    used: NDArray[np.int64]


@jit
def hash_of(data: NDArray[np.uint8], message: Any) -> np.uint64:
    """One hash of the three texts and of which of them are there."""
    hashed = xxh64(data, message.kpi, message.kpi_length, np.uint64(message.source_length + 2))
    hashed = xxh64(data, message.dimensions, max(message.dimensions_length, 0), hashed)
    if message.source_length > 0:
        hashed = xxh64(data, message.source, message.source_length, hashed)
    return hashed


@jit
def _is_same(spellings: Spellings, entry: Any, data: NDArray[np.uint8], message: Any) -> bool:
    if entry.kpi_length != message.kpi_length or entry.dimensions_length != message.dimensions_length:
        return False
    if entry.source_length != message.source_length:
        return False
    start = entry.start
    if not same_bytes(spellings.arena, start, data, message.kpi, message.kpi_length):
        return False
    start += message.kpi_length
    if not same_bytes(spellings.arena, start, data, message.dimensions, max(message.dimensions_length, 0)):
        return False
    start += max(message.dimensions_length, 0)
    return same_bytes(spellings.arena, start, data, message.source, max(message.source_length, 0))


@jit
def find(spellings: Spellings, data: NDArray[np.uint8], message: Any) -> int:
    """The entry of the message's spelling, or NOT_THERE."""
    hashed = hash_of(data, message)
    mask = len(spellings.places) - 1
    place = np.int64(hashed >> np.uint64(32)) & mask
    while spellings.places[place] != 0:
        entry = spellings.entries[spellings.places[place] - 1]
        if entry.hash == hashed and _is_same(spellings, entry, data, message):
            return spellings.places[place] - 1
        place = (place + 1) & mask
    return NOT_THERE


@jit
def _copy(spellings: Spellings, data: NDArray[np.uint8], start: int, length: int) -> None:
    used = spellings.used[1]
    for place in range(length):
        spellings.arena[used + place] = data[start + place]
    spellings.used[1] = used + max(length, 0)


@jit
def learn(spellings: Spellings, data: NDArray[np.uint8], message: Any, row: int) -> int:
    """Enter the message's spelling, which is not there yet; returns its entry. There must be room for it."""
    number = spellings.used[0]
    entry = spellings.entries[number]
    entry.hash = hash_of(data, message)
    entry.start = spellings.used[1]
    entry.kpi_length = message.kpi_length
    entry.dimensions_length = message.dimensions_length
    entry.source_length = message.source_length
    entry.row = row
    entry.beginning_length = 0
    _copy(spellings, data, message.kpi, message.kpi_length)
    _copy(spellings, data, message.dimensions, message.dimensions_length)
    _copy(spellings, data, message.source, message.source_length)
    spellings.used[0] = number + 1
    index(spellings, number)
    return number


@jit
def learn_beginning(spellings: Spellings, number: int, beginning: NDArray[np.uint8]) -> None:
    """Keep what the derived ids of an entry begin with. There must be room for it."""
    entry = spellings.entries[number]
    entry.beginning = spellings.used[1]
    entry.beginning_length = len(beginning)
    _copy(spellings, beginning, 0, len(beginning))


@jit
def index(spellings: Spellings, number: int) -> None:
    """Enter an entry into the index."""
    mask = len(spellings.places) - 1
    place = np.int64(spellings.entries[number].hash >> np.uint64(32)) & mask
    while spellings.places[place] != 0:
        place = (place + 1) & mask
    spellings.places[place] = number + 1


@jit
def index_all(spellings: Spellings) -> None:
    """Enter all entries into an empty index."""
    for number in range(spellings.used[0]):
        index(spellings, number)
