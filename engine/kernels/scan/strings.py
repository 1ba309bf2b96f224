"""Strings of JSON without escapes: where one ends, and whether its bytes are UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import load64, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)

QUOTE, BACKSLASH, SPACE = 0x22, 0x5C, 0x20
_HIGH_BYTE = 0x80


@jit
def _ends(word: np.uint64) -> np.uint64:
    """A high bit at the first byte that is a quote, a backslash or a control character, and maybe at later ones.

    Source: Anderson, Bit Twiddling Hacks, "determine if a word has a byte less than n".
    """
    quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = ((quotes - _ONES) & ~quotes) | ((backslashes - _ONES) & ~backslashes) | ((word - _SPACES) & ~word)
    return found & _HIGH


@jit
def string_end(data: NDArray[np.uint8], position: int, end: int) -> int:
    """The place of the quote that ends the string whose first byte is at `position`; -1 where a backslash, a control
    character or `end` comes first.
    """
    while position + 8 <= end:
        found = _ends(load64(data, position))
        if found != np.uint64(0):
            position += np.int64(trailing_zeros(found) >> np.uint64(3))
            return position if data[position] == QUOTE else -1
        position += 8
    while position < end:
        byte = data[position]
        if byte == QUOTE:
            return position
        if byte == BACKSLASH or byte < SPACE:
            return -1
        position += 1
    return -1


@jit
def is_ascii(data: NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether no byte is above 127."""
    position = start
    while position + 8 <= end:
        if load64(data, position) & _HIGH != np.uint64(0):
            return False
        position += 8
    while position < end:
        if data[position] >= _HIGH_BYTE:
            return False
        position += 1
    return True


@jit
def _continues(data: NDArray[np.uint8], start: int, end: int) -> bool:
    if start >= end:
        return False
    return data[start] & 0xC0 == 0x80


@jit
def _character_length(data: NDArray[np.uint8], position: int, end: int) -> int:
    """Bytes of the character at `position`, 0 if it is none. Source: RFC 3629, section 4."""
    first = data[position]
    if first < _HIGH_BYTE:
        return 1
    second = data[position + 1] if position + 1 < end else 0
    if 0xC2 <= first <= 0xDF:
        return 2 if second & 0xC0 == 0x80 else 0
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    if not low <= second <= high or not _continues(data, position + 2, end):
        return 0
    if 0xE0 <= first <= 0xEF:
        return 3
    return 4 if 0xF0 <= first <= 0xF4 and _continues(data, position + 3, end) else 0


@jit
def characters(data: NDArray[np.uint8], start: int, end: int) -> int:
    """How many characters the bytes are in UTF-8; -1 if they are not UTF-8."""
    if is_ascii(data, start, end):
        return end - start
    count, position = 0, start
    while position < end:
        length = _character_length(data, position, end)
        if length == 0:
            return -1
        position += length
        count += 1
    return count
