"""What quantiles and numbers of distinct values are taken from, as it stands in records; how it is merged and read.

`engine.kernels.sketches` fills it, and says where the methods come from.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING, Final

import msgspec

from engine.model.aggregation import QUANTILE_UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SKETCH_ENTRIES: Final = 512
"""Buckets, and hashes, that are kept at most."""
FINEST_SHIFT: Final = 45
"""Bits of a double that a bucket's key at level 0 leaves out: seven of the mantissa stay."""
HASH_RANGE: Final = 2.0**63


class Buckets(msgspec.Struct, frozen=True, array_like=True):
    """How many values lie in which bucket. The keys are the upper bits of the magnitude as a double, its lowest
    45 + `level` left out, with the value's sign, ascending; `counts` go with them.
    """

    level: int
    keys: tuple[int, ...]
    counts: tuple[int, ...]


def error_of(level: int) -> float:
    """By what share of itself a quantile can be off at most."""
    return 2.0 ** (level - 8)


def joined(parts: Sequence[Buckets]) -> Buckets:
    """All values together, in buckets as fine as there is room for."""
    level = max(each.level for each in parts)
    while True:
        counts: dict[int, int] = {}
        for each in parts:
            for key, count in zip(each.keys, each.counts, strict=True):
                at = _coarser(key, level - each.level)
                counts[at] = counts.get(at, 0) + count
        if len(counts) <= SKETCH_ENTRIES:
            return Buckets(level, tuple(sorted(counts)), tuple(counts[key] for key in sorted(counts)))
        level += 1


def quantile(buckets: Buckets, parts: int, least: float, greatest: float) -> float:
    """The value that `parts` of QUANTILE_UNIT are at most (nearest rank): the middle of its bucket, within what was
    seen; exact for the first and the last.
    """
    count = sum(buckets.counts)
    rank = -(-count * parts // QUANTILE_UNIT)
    if rank <= 1:
        return least
    if rank >= count:
        return greatest
    seen = 0
    for key, held in zip(buckets.keys, buckets.counts, strict=True):
        seen += held
        if seen >= rank:
            return min(max(_middle(key, buckets.level), least), greatest)
    return greatest


def smallest(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The smallest hashes (in hex) of all values together."""
    return tuple(sorted({hashed for each in parts for hashed in each})[:SKETCH_ENTRIES])


def distinct(hashes: Sequence[str]) -> float:
    """How many different values there were: exact while there was room for all, else judged by the greatest hash."""
    if len(hashes) < SKETCH_ENTRIES:
        return float(len(hashes))
    return (SKETCH_ENTRIES - 1) / (int(hashes[-1], 16) / HASH_RANGE)


def _coarser(key: int, levels: int) -> int:
    return -(-key >> levels) if key < 0 else key >> levels


def _middle(key: int, level: int) -> float:
    if key == 0:
        return 0.0
    low, high = (_double(bound << (FINEST_SHIFT + level)) for bound in (abs(key), abs(key) + 1))
    middle = low + (high - low) / 2 if isfinite(high) else low
    return -middle if key < 0 else middle


def _double(bits: int) -> float:
    value: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return value
