"""XXH64, the hash of ids: the same numbers as the library's, inside compiled code.

Source: the specification in xxHash's repository (`doc/xxhash_spec.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.words import load32, load64

if TYPE_CHECKING:
    from numpy.typing import NDArray

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@jit
def _turned(word: np.uint64, left: int) -> np.uint64:
    return (word << np.uint64(left)) | (word >> np.uint64(64 - left))


@jit
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _turned(lane + word * _P2, 31) * _P1


@jit
def _stripes(data: NDArray[np.uint8], start: int, end: int, seed: np.uint64) -> np.uint64:
    """Four lanes over whole stripes of 32 bytes, merged."""
    one, two, three, four = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
    position = start
    while position + 32 <= end:
        one = _round(one, load64(data, position))
        two = _round(two, load64(data, position + 8))
        three = _round(three, load64(data, position + 16))
        four = _round(four, load64(data, position + 24))
        position += 32
    merged = _turned(one, 1) + _turned(two, 7) + _turned(three, 12) + _turned(four, 18)
    for lane in (one, two, three, four):
        merged = (merged ^ _round(np.uint64(0), lane)) * _P1 + _P4
    return merged


@jit
def xxh64(data: NDArray[np.uint8], start: int, length: int, seed: np.uint64) -> np.uint64:
    """The hash of `length` bytes of `data` from `start` on."""
    end = start + length
    position = start
    if length >= 32:
        mixed = _stripes(data, start, end, seed)
        position = start + length // 32 * 32
    else:
        mixed = seed + _P5
    mixed += np.uint64(length)
    while position + 8 <= end:
        mixed = _turned(mixed ^ _round(np.uint64(0), load64(data, position)), 27) * _P1 + _P4
        position += 8
    if position + 4 <= end:
        mixed = _turned(mixed ^ (np.uint64(load32(data, position)) * _P1), 23) * _P2 + _P3
        position += 4
    while position < end:
        mixed = _turned(mixed ^ (np.uint64(data[position]) * _P5), 11) * _P1
        position += 1
    mixed = (mixed ^ (mixed >> np.uint64(33))) * _P2
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _P3
    return mixed ^ (mixed >> np.uint64(32))
