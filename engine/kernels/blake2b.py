"""BLAKE2b of 16 bytes, unkeyed: the digest that derived ids are made of, inside compiled code.

Source: RFC 7693.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import load64

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 128
"""Bytes are taken in blocks of this many; what is not filled of the last one must be zero."""
SCRATCH = 40
"""Words that a computation needs: eight of state, sixteen to work with, sixteen of the block."""
HEX = 32
"""Letters of the digest."""

_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_PARAMETERS = np.uint64(0x01010010)
"""Digest of 16 bytes, no key, one sequential hash."""
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)
_ROUNDS = 12
_WORK, _WORDS = 8, 24
"""Where in the scratch the words to work with begin, and those of the block."""


@jit
def _turned(word: np.uint64, right: int) -> np.uint64:
    return (word >> np.uint64(right)) | (word << np.uint64(64 - right))


@jit
def _mix(scratch: NDArray[np.uint64], place: tuple[int, int, int, int], one: int, other: int) -> None:
    """The function G of section 3.1 over four of the sixteen words, with two words of the block."""
    a, b, c, d = _WORK + place[0], _WORK + place[1], _WORK + place[2], _WORK + place[3]
    scratch[a] += scratch[b] + scratch[_WORDS + one]
    scratch[d] = _turned(scratch[d] ^ scratch[a], 32)
    scratch[c] += scratch[d]
    scratch[b] = _turned(scratch[b] ^ scratch[c], 24)
    scratch[a] += scratch[b] + scratch[_WORDS + other]
    scratch[d] = _turned(scratch[d] ^ scratch[a], 16)
    scratch[c] += scratch[d]
    scratch[b] = _turned(scratch[b] ^ scratch[c], 63)


@jit
def _compress(scratch: NDArray[np.uint64], taken: int, last: bool) -> None:  # noqa: FBT001 (compiled code takes arguments by position)
    """The function F of section 3.2: the block into the state. `taken`: bytes up to its end."""
    for place in range(8):
        scratch[_WORK + place] = scratch[place]
        scratch[_WORK + 8 + place] = _IV[place]
    scratch[_WORK + 12] ^= np.uint64(taken)
    if last:
        scratch[_WORK + 14] = ~scratch[_WORK + 14]
    for number in range(_ROUNDS):
        order = _SIGMA[number % 10]
        _mix(scratch, (0, 4, 8, 12), order[0], order[1])
        _mix(scratch, (1, 5, 9, 13), order[2], order[3])
        _mix(scratch, (2, 6, 10, 14), order[4], order[5])
        _mix(scratch, (3, 7, 11, 15), order[6], order[7])
        _mix(scratch, (0, 5, 10, 15), order[8], order[9])
        _mix(scratch, (1, 6, 11, 12), order[10], order[11])
        _mix(scratch, (2, 7, 8, 13), order[12], order[13])
        _mix(scratch, (3, 4, 9, 14), order[14], order[15])
    for place in range(8):
        scratch[place] ^= scratch[_WORK + place] ^ scratch[_WORK + 8 + place]


@jit
def blake2b_hex(
    data: NDArray[np.uint8], length: int, scratch: NDArray[np.uint64], out: NDArray[np.uint8], start: int
) -> None:
    """Write the digest of the first `length` bytes of `data` to `out` from `start` on, as lower-case hex."""
    for place in range(8):
        scratch[place] = _IV[place]
    scratch[0] ^= _PARAMETERS
    blocks = max((length + BLOCK - 1) // BLOCK, 1)
    for block in range(blocks):
        for word in range(16):
            scratch[_WORDS + word] = load64(data, block * BLOCK + 8 * word)
        _compress(scratch, min(length, (block + 1) * BLOCK), block == blocks - 1)
    for place in range(HEX // 2):
        byte = (scratch[place // 8] >> np.uint64(8 * (place % 8))) & np.uint64(0xFF)
        out[start + 2 * place] = _letter(byte >> np.uint64(4))
        out[start + 2 * place + 1] = _letter(byte & np.uint64(15))


@jit
def _letter(nibble: np.uint64) -> np.uint64:
    return nibble + np.uint64(48) if nibble < np.uint64(10) else nibble + np.uint64(87)
