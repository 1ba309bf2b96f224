"""The pass: record after record into columns, until one stands there that is not for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.scan.framing import AT_END, FRAMED, advance, frame
from engine.kernels.scan.message import parse
from engine.kernels.scan.spellings import learn, row_of
from engine.kernels.xxh64 import xxh64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.kernels.scan.spellings import Spellings

ENDED, LEFT, BROKEN = 0, 1, 2
"""Why a pass stopped: nothing more; the record at the cursor is left to the reference decoder; it is damaged."""

_SEED = np.uint64(0)


class Scope(NamedTuple):
    """Which records and messages are taken: offsets from `first` to `last`, times from `earliest` to before `latest`,
    messages of up to `bytes_max` bytes.
    """

    first: int
    last: int
    earliest: int
    latest: int
    bytes_max: int


class Out(NamedTuple):
    """What a pass fills, from `used[0]` on: arrays as in `wire.columns.Columns`; ids stand in the data itself."""

    row: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    id_hash: NDArray[np.uint64]
    revision: NDArray[np.int32]
    flags: NDArray[np.uint8]
    offset: NDArray[np.int64]
    id_start: NDArray[np.int32]
    id_length: NDArray[np.int32]
    used: NDArray[np.int64]


@jit
def scan(
    data: NDArray[np.uint8],
    segments: NDArray[np.int64],
    cursors: NDArray[np.void],
    messages: NDArray[np.void],
    spellings: Spellings,
    scope: Scope,
    out: Out,
) -> int:
    """Take records from the cursor on; there must be room for all of them in `out`. The first row of `cursors` and of
    `messages` is the pass's own.
    """
    cursor, message = cursors[0], messages[0]
    while True:
        found = frame(data, segments, cursor)
        if found != FRAMED:
            return ENDED if found == AT_END else BROKEN
        if cursor.offset > scope.last:
            return ENDED
        if cursor.offset >= scope.first:
            if not _is_taken(data, cursor, message, scope):
                return LEFT
            row = row_of(spellings, data, message)
            if row < 0:
                return LEFT
            _put(out, data, cursor.offset, row, message)
        advance(cursor)


@jit
def _is_taken(data: NDArray[np.uint8], cursor: Any, message: Any, scope: Scope) -> bool:
    if cursor.value < 0 or cursor.special != 0 or cursor.value_end - cursor.value > scope.bytes_max:
        return False
    return parse(data, cursor.value, cursor.value_end, message) and scope.earliest <= message.time < scope.latest


@jit
def _put(out: Out, data: NDArray[np.uint8], offset: int, row: int, message: Any) -> None:
    used = out.used[0]
    out.row[used] = row
    out.time[used] = message.time
    out.value[used] = message.value
    out.id_hash[used] = xxh64(data, message.id, message.id_length, _SEED)
    out.revision[used] = message.revision
    out.flags[used] = message.flags
    out.offset[used] = offset
    out.id_start[used] = message.id
    out.id_length[used] = message.id_length
    out.used[0] = used + 1


@jit
def learn_from(
    data: NDArray[np.uint8], start: int, end: int, messages: NDArray[np.void], spellings: Spellings, row: int
) -> None:
    """Remember how the message from `start` to `end`, which was accepted, spells the series in `row`; there must be
    room for one more. What the scanner does not read it need not know.
    """
    message = messages[0]
    if parse(data, start, end, message) and row_of(spellings, data, message) < 0:
        learn(spellings, data, message, row)
