"""Ids that messages came without: made of KPI, dimensions and time, as `model.identity` does it.

What stands before the time is the same in all messages of a series; the spelling keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit
from engine.kernels.blake2b import BLOCK, blake2b_hex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TEXT_BYTES = 8 * BLOCK
BEGINNING_MAX = TEXT_BYTES - 24
"""Longer beginnings are left: the rest is for the time and what closes it."""

_MINUS, _ZERO, _BRACKET = 0x2D, 0x30, 0x5D


@jit
def _digits(number: int) -> int:
    count = 1
    while number > 9:
        number //= 10
        count += 1
    return count


@jit
def _write(text: NDArray[np.uint8], position: int, number: int) -> int:
    """Write a whole number; the place after it."""
    if number < 0:
        text[position] = _MINUS
        position += 1
        number = -number
    end = position + _digits(number)
    for place in range(end - 1, position - 1, -1):
        text[place] = _ZERO + number % 10
        number //= 10
    return end


@jit
def derive(
    arena: NDArray[np.uint8],
    entry: Any,
    time: int,
    text: NDArray[np.uint8],
    scratch: NDArray[np.uint64],
    out: NDArray[np.uint8],
    place: int,
) -> None:
    """Write the id of the series' measurement at `time` to `out` from `place` on; `text` and `scratch` are for use."""
    for position in range(entry.beginning_length):
        text[position] = arena[entry.beginning + position]
    end = _write(text, entry.beginning_length, time)
    text[end] = _BRACKET
    end += 1
    for position in range(end, (end + BLOCK - 1) // BLOCK * BLOCK):
        text[position] = 0
    blake2b_hex(text, end, scratch, out, place)
