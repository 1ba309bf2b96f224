"""Lines of a file as the records of a batch of Kafka's format v2, so that they are decoded as what comes from a broker.

Source: the Apache Kafka documentation, "Record" (lengths and deltas are zigzag varints).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit
from engine.kernels.words import copy_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECORD_ROOM = 24
"""A record takes at most so many bytes beside its line."""
LINES, RECORDS, BYTES, LAST = range(4)
"""Places in what `records_of` counts: lines, records and bytes written, and the delta of the last record."""

_NEWLINE, _SPACE, _TAB, _RETURN = 0x0A, 0x20, 0x09, 0x0D
_MORE = 0x80
_NULL_KEY = 1


@jit
def _varint_length(raw: int) -> int:
    length = 1
    while raw >= _MORE:
        raw >>= 7
        length += 1
    return length


@jit
def _write_varint(out: NDArray[np.uint8], place: int, number: int) -> int:
    """Write a number that is not negative; the place after it."""
    raw = number << 1
    while raw >= _MORE:
        out[place] = (raw & (_MORE - 1)) | _MORE
        raw >>= 7
        place += 1
    out[place] = raw
    return place + 1


@jit
def _is_blank(data: NDArray[np.uint8], start: int, end: int) -> bool:
    place = start
    while place < end and data[place] in (_SPACE, _TAB, _RETURN):
        place += 1
    return place == end


@jit
def _write_record(out: NDArray[np.uint8], place: int, delta: int, data: NDArray[np.uint8], start: int, end: int) -> int:
    """Length, attributes, timestamp delta, offset delta, no key, the value, no headers; the place after it."""
    length = end - start
    size = 4 + _varint_length(delta << 1) + _varint_length(length << 1) + length
    place = _write_varint(out, place, size)
    out[place] = 0
    out[place + 1] = 0
    place = _write_varint(out, place + 2, delta)
    out[place] = _NULL_KEY
    place = _write_varint(out, place + 1, length)
    copy_bytes(out, place, data, start, length)
    out[place + length] = 0
    return place + length + 1


@jit
def records_of(data: NDArray[np.uint8], out: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Write each line that is not blank to `out` as a record, its offset delta the number of the line, from 0."""
    counts[LINES] = counts[RECORDS] = counts[BYTES] = counts[LAST] = 0
    start = 0
    while start < len(data):
        end = start
        while end < len(data) and data[end] != _NEWLINE:
            end += 1
        if not _is_blank(data, start, end):
            counts[BYTES] = _write_record(out, counts[BYTES], counts[LINES], data, start, end)
            counts[LAST] = counts[LINES]
            counts[RECORDS] += 1
        counts[LINES] += 1
        start = end + 1
