"""Records of Kafka's format v2 in the payload of a batch: where each one's value stands.

Source: the Apache Kafka documentation, "Record" (lengths and deltas are zigzag varints).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.scan.strings import is_ascii

if TYPE_CHECKING:
    from numpy.typing import NDArray

CURSOR = np.dtype(
    [
        ("segment", "i8"),
        ("left", "i8"),
        ("position", "i8"),
        ("next", "i8"),
        ("offset", "i8"),
        ("value", "i8"),
        ("value_end", "i8"),
        ("special", "i8"),
    ],
    align=True,
)
"""Where a pass stands: `segment`, how many of its records are `left`, the `position` of the next one. After `frame`
also that one: its `offset`, its value (`value` -1: null), whether it may be `special`, and where the `next` begins."""

START, END, BASE, RECORDS = range(4)
"""Columns of a segment: one batch's payload in the data, the offset that its deltas count from, how many records."""

OFFSET, BEGIN, NEXT, VALUE, VALUE_END, SPECIAL = range(6)
"""Columns of a span: a framed record's offset, where it begins and the next does, its value, whether it is special."""
SPAN = 6

FRAMED, AT_END, CORRUPT = 0, 1, 2

CONTROL_NAME_LENGTH = 20
"""Of the header that marks a control record."""

_NULL = -1
_MORE = 0x80
_BYTES_MAX = 10


@jit
def _varint(data: NDArray[np.uint8], position: int, end: int) -> tuple[int, int]:
    """(the number, the place after it); a place of -1 where it does not end before `end`."""
    raw, shift = np.uint64(0), 0
    while position < end and shift < 7 * _BYTES_MAX:
        byte = data[position]
        position += 1
        raw |= np.uint64(byte & 0x7F) << np.uint64(shift)
        if byte < _MORE:
            return np.int64(raw >> np.uint64(1)) ^ -np.int64(raw & np.uint64(1)), position
        shift += 7
    return 0, -1


@jit
def begin(segments: NDArray[np.int64], cursors: NDArray[np.void]) -> None:
    """Put the cursor before the first record."""
    cursor = cursors[0]
    cursor.segment = 0
    if len(segments) > 0:
        cursor.left = segments[0, RECORDS]
        cursor.position = segments[0, START]


@jit
def give_up(cursors: NDArray[np.void]) -> None:
    """Go on behind the segment at the cursor."""
    cursors[0].left = 0


@jit
def advance(cursor: Any) -> None:
    """Go on behind the record that was framed."""
    cursor.left -= 1
    cursor.position = cursor.next


@jit
def frame(data: NDArray[np.uint8], segments: NDArray[np.int64], cursor: Any) -> int:
    """Find the record at the cursor, which stays before it."""
    while cursor.segment < len(segments) and cursor.left == 0:
        cursor.segment += 1
        if cursor.segment < len(segments):
            cursor.left = segments[cursor.segment, RECORDS]
            cursor.position = segments[cursor.segment, START]
    if cursor.segment == len(segments):
        return AT_END
    return FRAMED if _record(data, segments[cursor.segment], cursor) else CORRUPT


@jit
def _record(data: NDArray[np.uint8], segment: NDArray[np.int64], cursor: Any) -> bool:
    """Length, attributes, timestamp, offset delta, key, value, headers."""
    length, position = _varint(data, cursor.position, segment[END])
    if position < 0 or length < 1 or position + length > segment[END]:
        return False
    end = position + length
    cursor.next = end
    _, position = _varint(data, position + 1, end)
    if position < 0:
        return False
    delta, position = _varint(data, position, end)
    if position < 0:
        return False
    cursor.offset = segment[BASE] + delta
    return _contents(data, position, end, cursor)


@jit
def _contents(data: NDArray[np.uint8], position: int, end: int, cursor: Any) -> bool:
    """Key, value and headers, behind which the record must end."""
    length, position = _varint(data, position, end)
    if position < 0 or length < _NULL or length > end - position:
        return False
    length, position = _varint(data, position + max(length, 0), end)
    if position < 0 or length < _NULL or length > end - position:
        return False
    cursor.value = position if length >= 0 else -1
    cursor.value_end = position + max(length, 0)
    cursor.special = 0
    count, position = _varint(data, cursor.value_end, end)
    while position >= 0 and count > 0:
        position = _header(data, position, end, cursor)
        count -= 1
    return position == end and count == 0


@jit
def _header(data: NDArray[np.uint8], position: int, end: int, cursor: Any) -> int:
    """Pass over a header; the place after it, or -1. One whose name is as long as ours makes the record special, as
    does one whose name is not ASCII: they are looked at where there are strings.
    """
    length, position = _varint(data, position, end)
    if position < 0 or length < 0 or length > end - position:
        return -1
    if length == CONTROL_NAME_LENGTH or not is_ascii(data, position, position + length):
        cursor.special = 1
    length, position = _varint(data, position + length, end)
    if position < 0 or length > end - position:
        return -1
    return position + max(length, 0)


@jit
def frame_some(
    data: NDArray[np.uint8], segments: NDArray[np.int64], cursors: NDArray[np.void], spans: NDArray[np.int64]
) -> tuple[int, int]:
    """Frame records and go on behind them, as many as `spans` has room for; (how many, what ended it)."""
    cursor = cursors[0]
    for count in range(len(spans)):
        found = frame(data, segments, cursor)
        if found != FRAMED:
            return count, found
        spans[count, OFFSET] = cursor.offset
        spans[count, BEGIN] = cursor.position
        spans[count, NEXT] = cursor.next
        spans[count, VALUE] = cursor.value
        spans[count, VALUE_END] = cursor.value_end
        spans[count, SPECIAL] = cursor.special
        advance(cursor)
    return len(spans), FRAMED
