"""The pass: record after record into columns, until one stands there that is not for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.blake2b import HEX
from engine.kernels.scan.derived import BEGINNING_MAX, derive
from engine.kernels.scan.framing import AT_END, FRAMED, advance, frame
from engine.kernels.scan.message import parse
from engine.kernels.scan.spellings import find, learn, learn_beginning
from engine.kernels.xxh64 import xxh64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.kernels.scan.spellings import Spellings

ENDED, LEFT, BROKEN, UNKNOWN = 0, 1, 2, 3
"""Why a pass stopped: nothing more; the record at the cursor is left to the reference decoder; it is damaged; it would
be taken if its spelling were known, with what derived ids begin with where it has no id.
"""

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
    """What a pass fills, from `used[0]` on: arrays as in `wire.columns.Columns`. Ids stand in the data itself; those
    that it makes in `made`, HEX bytes each, `used[1]` of them, as if that began right behind the data. `text` and
    `scratch` are for use meanwhile.
    """

    row: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    id_hash: NDArray[np.uint64]
    revision: NDArray[np.int32]
    flags: NDArray[np.uint8]
    offset: NDArray[np.int64]
    id_start: NDArray[np.int32]
    id_length: NDArray[np.int32]
    made: NDArray[np.uint8]
    text: NDArray[np.uint8]
    scratch: NDArray[np.uint64]
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
            number = find(spellings, data, message)
            if number < 0:
                return UNKNOWN
            if message.id_length >= 0:
                _put(out, data, message.id, message.id_length)
            elif spellings.entries[number].beginning_length > 0:
                _put_made(out, data, spellings, number, message.time)
            else:
                return UNKNOWN
            _fill(out, spellings.entries[number].row, cursor.offset, message)
        advance(cursor)


@jit
def _is_taken(data: NDArray[np.uint8], cursor: Any, message: Any, scope: Scope) -> bool:
    if cursor.value < 0 or cursor.special != 0 or cursor.value_end - cursor.value > scope.bytes_max:
        return False
    return parse(data, cursor.value, cursor.value_end, message) and scope.earliest <= message.time < scope.latest


@jit
def _put(out: Out, data: NDArray[np.uint8], start: int, length: int) -> None:
    """The id of the next measurement, as it stands in the message."""
    used = out.used[0]
    out.id_hash[used] = xxh64(data, start, length, _SEED)
    out.id_start[used] = start
    out.id_length[used] = length


@jit
def _put_made(out: Out, data: NDArray[np.uint8], spellings: Spellings, number: int, time: int) -> None:
    """The id of the next measurement, made here."""
    used, place = out.used[0], out.used[1] * HEX
    derive(spellings.arena, spellings.entries[number], time, out.text, out.scratch, out.made, place)
    out.id_hash[used] = xxh64(out.made, place, HEX, _SEED)
    out.id_start[used] = len(data) + place
    out.id_length[used] = HEX
    out.used[1] += 1


@jit
def _fill(out: Out, row: int, offset: int, message: Any) -> None:
    """Everything but the id, which is there."""
    used = out.used[0]
    out.row[used] = row
    out.time[used] = message.time
    out.value[used] = message.value
    out.revision[used] = message.revision
    out.flags[used] = message.flags
    out.offset[used] = offset
    out.used[0] = used + 1


@jit
def learn_from(data: NDArray[np.uint8], messages: NDArray[np.void], spellings: Spellings, row: int) -> int:
    """Remember how the message at which a pass stopped as UNKNOWN spells the series in `row`; there must be room for
    one more. Returns the entry that wants to know how its derived ids begin, or -1.
    """
    message = messages[0]
    number = find(spellings, data, message)
    if number < 0:
        number = learn(spellings, data, message, row)
    return number if message.id_length < 0 and spellings.entries[number].beginning_length == 0 else -1


@jit
def keep_beginning(spellings: Spellings, number: int, beginning: NDArray[np.uint8]) -> bool:
    """Tell an entry how its derived ids begin; there must be room for it. False where that is too long."""
    if len(beginning) > BEGINNING_MAX:
        return False
    learn_beginning(spellings, number, beginning)
    return True
