"""One message: a JSON object with the fields of a measurement, in any order, and nothing else.

What is taken is a strict subset of what `wire.item` takes, with the same result. Everything else is left: whether it
is right after all, or what is wrong with it, the reference decoder says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.scan.numbers import number
from engine.kernels.scan.strings import characters, string_end
from engine.kernels.scan.times import time_of_number, time_of_text
from engine.kernels.words import load64

if TYPE_CHECKING:
    from numpy.typing import NDArray

MESSAGE = np.dtype(
    [
        ("found", "i8"),
        ("kpi", "i8"),
        ("kpi_length", "i8"),
        ("dimensions", "i8"),
        ("dimensions_length", "i8"),
        ("source", "i8"),
        ("source_length", "i8"),
        ("id", "i8"),
        ("id_length", "i8"),
        ("time", "i8"),
        ("value", "f8"),
        ("revision", "i8"),
        ("flags", "i8"),
    ],
    align=True,
)
"""The parts of a message; strings as the place of their bytes and how many they are. `dimensions`: with its braces.
Lengths of ABSENT and NULL tell these two from an empty one. `found`: a bit a field."""

ABSENT, NULL = -1, -2

KPI, TIME, VALUE, DIMENSIONS, ID, SOURCE, PROVENANCE, REVISION, UNKNOWN = 1, 2, 4, 8, 16, 32, 64, 128, 0
_NEEDED = KPI | TIME | VALUE

ID_LENGTH_MAX = 256
REVISION_MAX = 2**31 - 1
SELF_REPORTED = 1

_TAB, _LINE, _RETURN, _SPACE = 0x09, 0x0A, 0x0D, 0x20
_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE, _N = 0x22, 0x2C, 0x3A, 0x7B, 0x7D, 0x6E


def _word(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode(), "little"))


_W_KPI, _W_TIME, _W_VALUE, _W_ID, _W_SOURCE = (_word(name) for name in ("kpi", "time", "value", "id", "source"))
_W_DIMENSIONS, _W_REVISION, _W_PROVENANCE = _word("dimensio"), _word("revision"), _word("provenan")
_W_AUTOMATED, _W_SELF, _W_REPORTED = _word("automate"), _word("self_rep"), _word("_reporte")


@jit
def _is_space(byte: int) -> bool:
    return byte <= _SPACE and byte in (_SPACE, _LINE, _RETURN, _TAB)


@jit
def _skip_space(data: NDArray[np.uint8], position: int) -> int:
    """The next place with anything but JSON's white space."""
    while _is_space(data[position]):
        position += 1
    return position


@jit
def _prefix(data: NDArray[np.uint8], start: int, length: int) -> np.uint64:
    """The first bytes of a text, up to eight, as a word."""
    if length >= 8:
        return load64(data, start)
    if start + 8 > len(data):
        return np.uint64(0)  # no name and no provenance ends so near to the end of a message
    return load64(data, start) & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))


@jit
def _field(data: NDArray[np.uint8], start: int, length: int) -> int:
    """Which field has this name."""
    word = _prefix(data, start, length)
    if length == 3:
        return KPI if word == _W_KPI else UNKNOWN
    if length == 4:
        return TIME if word == _W_TIME else UNKNOWN
    if length == 5:
        return VALUE if word == _W_VALUE else UNKNOWN
    if length == 2:
        return ID if word == _W_ID else UNKNOWN
    if length == 6:
        return SOURCE if word == _W_SOURCE else UNKNOWN
    if length == 8:
        return REVISION if word == _W_REVISION else UNKNOWN
    if length != 10:
        return UNKNOWN
    if word == _W_DIMENSIONS:
        return DIMENSIONS if data[start + 8] == 0x6E and data[start + 9] == 0x73 else UNKNOWN  # ns
    if word == _W_PROVENANCE:
        return PROVENANCE if data[start + 8] == 0x63 and data[start + 9] == 0x65 else UNKNOWN  # ce
    return UNKNOWN


@jit
def parse(data: NDArray[np.uint8], start: int, end: int, message: Any) -> bool:
    """Take the message from `start` to `end` apart; False where it is left. What it leaves in `message` is then void.

    Where an object does not end is seen at its last byte: it must be a brace, at which everything but a string stops.
    """
    while end > start and _is_space(data[end - 1]):
        end -= 1
    position = start
    while position < end and _is_space(data[position]):
        position += 1
    if end - position < 2 or data[end - 1] != _CLOSE or data[position] != _OPEN:
        return False
    message.found = 0
    message.dimensions_length = message.source_length = message.id_length = ABSENT
    message.revision = message.flags = 0
    while position >= 0 and data[position] != _CLOSE:
        position = _member(data, _skip_space(data, position + 1), end, message)
    return position == end - 1 and message.found & _NEEDED == _NEEDED


@jit
def _member(data: NDArray[np.uint8], position: int, end: int, message: Any) -> int:
    """Take one name and value; the place of the comma or brace after it, -1 where it is left."""
    if data[position] != _QUOTE:
        return -1
    name_end = string_end(data, position + 1, end)
    if name_end < 0:
        return -1
    field = _field(data, position + 1, name_end - position - 1)
    if field == UNKNOWN or message.found & field != 0:
        return -1
    message.found |= field
    position = _skip_space(data, name_end + 1)
    if data[position] != _COLON:
        return -1
    position = _value(data, _skip_space(data, position + 1), end, field, message)
    if position < 0:
        return -1
    position = _skip_space(data, position)
    return position if data[position] in (_COMMA, _CLOSE) else -1


@jit
def _value(data: NDArray[np.uint8], position: int, end: int, field: int, message: Any) -> int:
    """Take the value of a field; the place after it, or -1."""
    if field == VALUE:
        after, message.value, _ = number(data, position)
        return after
    if field == REVISION:
        return _revision(data, position, message)
    if field == DIMENSIONS:
        return _dimensions(data, position, end, message)
    if data[position] == _QUOTE:
        after = string_end(data, position + 1, end)
        return after + 1 if after >= 0 and _text(data, position + 1, after, field, message) else -1
    if field == TIME:
        return _seconds(data, position, message)
    if field == SOURCE and data[position] == _N:
        return _null_source(data, position, message)
    return -1


@jit
def _text(data: NDArray[np.uint8], start: int, end: int, field: int, message: Any) -> bool:
    """Take a field that is a string, from `start` to `end`."""
    length = end - start
    if field == KPI:
        message.kpi, message.kpi_length = start, length
        return True
    if field == SOURCE:
        message.source, message.source_length = start, length
        return True
    if field == TIME:
        good, message.time = time_of_text(data, start, end)
        return good
    if field == ID:
        message.id, message.id_length = start, length
        return 1 <= characters(data, start, end) <= ID_LENGTH_MAX
    return _provenance(data, start, length, message)


@jit
def _provenance(data: NDArray[np.uint8], start: int, length: int, message: Any) -> bool:
    word = _prefix(data, start, length)
    if length == 9 and word == _W_AUTOMATED:
        return data[start + 8] == 0x64  # d
    message.flags = SELF_REPORTED
    return (
        length == 13 and word == _W_SELF and load64(data, start + 4) == _W_REPORTED and data[start + 12] == 0x64  # d
    )


@jit
def _seconds(data: NDArray[np.uint8], position: int, message: Any) -> int:
    after, value, whole = number(data, position)
    if after < 0:
        return -1
    good, message.time = time_of_number(value, whole)
    return after if good else -1


@jit
def _revision(data: NDArray[np.uint8], position: int, message: Any) -> int:
    after, value, whole = number(data, position)
    if after < 0 or not whole or not 0.0 <= value <= REVISION_MAX:
        return -1
    message.revision = np.int64(value)
    return after


@jit
def _null_source(data: NDArray[np.uint8], position: int, message: Any) -> int:
    message.source_length = NULL
    ull = data[position + 1] == 0x75 and data[position + 2] == 0x6C and data[position + 3] == 0x6C
    return position + 4 if ull else -1


@jit
def _dimensions(data: NDArray[np.uint8], position: int, end: int, message: Any) -> int:
    """Find the end of the object. What is in it is not looked at: a series is known by all of these bytes."""
    if data[position] != _OPEN:
        return -1
    message.dimensions = position
    position += 1
    while data[position] != _CLOSE:
        if data[position] == _QUOTE:
            position = string_end(data, position + 1, end)
            if position < 0:
                return -1
        elif data[position] == _OPEN:
            return -1
        position += 1
    if position == end - 1:
        return -1  # that brace is the message's
    message.dimensions_length = position + 1 - message.dimensions
    return position + 1
