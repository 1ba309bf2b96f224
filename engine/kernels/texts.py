"""Columns of texts, end to end in one array, into columns of numbers: what stands in files.

Nothing is taken that the reader of rows would refuse, nor as another value; what is not taken is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.blake2b import HEX
from engine.kernels.scan.derived import derive
from engine.kernels.scan.numbers import number
from engine.kernels.scan.times import MILLISECONDS_FROM, SECOND, time_of_number, time_of_text
from engine.kernels.words import copy_bytes
from engine.kernels.xxh64 import xxh64

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT_MAX = 48
"""Longer texts are left: they are no number, and no time as they are written."""
TEXT_ROOM = 64
"""Bytes of the array that one text at a time is copied to; behind it stands a byte that ends numbers and times."""

_SEED = np.uint64(0)
_MINUS, _QUOTE = 0x2D, 0x22
_EXACT_MAX = 2.0**53


@jit
def numbers_of(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    lengths: NDArray[np.int32],
    text: NDArray[np.uint8],
    values: NDArray[np.float64],
    taken: NDArray[np.uint8],
) -> None:
    """Write the numbers that the texts are to `values`; where one is left, `taken` becomes 0."""
    for place in range(len(starts)):
        good, value, _ = _number(data, starts[place], lengths[place], text)
        if good:
            values[place] = value
        else:
            taken[place] = 0


@jit
def _number(data: NDArray[np.uint8], start: int, length: int, text: NDArray[np.uint8]) -> tuple[bool, float, bool]:
    """(whether it is taken, the number, whether it is written as an integer)."""
    if length < 1 or length > TEXT_MAX:
        return False, 0.0, False
    copy_bytes(text, 0, data, start, length)
    text[length] = _QUOTE
    end, value, whole = number(text, 0)
    return end == length, value, whole


@jit
def times_of(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    lengths: NDArray[np.int32],
    per_second: int,
    text: NDArray[np.uint8],
    times: NDArray[np.int64],
    taken: NDArray[np.uint8],
) -> None:
    """Write the microseconds that the texts are to `times`: RFC 3339, or numbers (`per_second` a second)."""
    for place in range(len(starts)):
        good, value, whole = _number(data, starts[place], lengths[place], text)
        if good:
            good, time = _time_of_number(value, whole, per_second, text[0] == _MINUS)
        elif 1 <= lengths[place] <= TEXT_MAX:
            good, time = time_of_text(text, 0, lengths[place])
        else:
            good, time = False, 0
        if good:
            times[place] = time
        else:
            taken[place] = 0


@jit
def _time_of_number(value: float, whole: bool, per_second: int, negative: bool) -> tuple[bool, int]:  # noqa: FBT001 (compiled code takes arguments by position)
    """Whole numbers that a double holds exactly, and others that are not negative."""
    if abs(value) > _EXACT_MAX or (negative and not whole):
        return False, 0
    if per_second == 1:
        return time_of_number(value, whole)
    seconds = value / per_second
    if abs(seconds) > MILLISECONDS_FROM:
        return False, 0
    return True, np.int64(np.rint(seconds * SECOND))


@jit
def hash_ids(
    data: NDArray[np.uint8], starts: NDArray[np.int32], lengths: NDArray[np.int32], hashes: NDArray[np.uint64]
) -> None:
    """Write the XXH64 of each id."""
    for place in range(len(starts)):
        hashes[place] = xxh64(data, starts[place], lengths[place], _SEED)


BEGINNING = np.dtype([("beginning", "i8"), ("beginning_length", "i8")], align=True)
"""Where what the derived ids of a series are made of before the time stands in an arena, and its length."""


@jit
def derive_ids(
    arena: NDArray[np.uint8],
    beginnings: Any,
    which: NDArray[np.int32],
    times: NDArray[np.int64],
    text: NDArray[np.uint8],
    scratch: NDArray[np.uint64],
    made: NDArray[np.uint8],
) -> None:
    """Write the ids of measurements that came without one to `made`, HEX bytes each; `which` names their beginnings."""
    for place in range(len(times)):
        derive(arena, beginnings[which[place]], times[place], text, scratch, made, place * HEX)
