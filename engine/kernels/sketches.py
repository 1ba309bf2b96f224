"""Sketches of a fixed size: quantiles from counts by magnitude, numbers of distinct values from the smallest hashes.

Both are the same whatever the order in which values came and were merged, and no logarithm is in them: the same
values give the same bytes on every machine.

Quantiles: buckets between the powers of two are equally wide (as in HdrHistogram), a bucket's key is the upper bits of
the double; when more than SKETCH_ENTRIES are in use, each two neighbours become one (Epicoco, Melle, Cafaro, Pulimeno
and Morleo, UDDSketch, 2020), and `level` counts how often. Half a bucket is at most 2^-8 of the value at level 0, and
twice as much at each further one.

Distinct values: the SKETCH_ENTRIES smallest of their hashes, exact up to that many (Bar-Yossef, Jayram, Kumar,
Sivakumar and Trevisan, Counting Distinct Elements in a Data Stream, 2002); beyond, the relative standard error is
1 / sqrt(SKETCH_ENTRIES - 2): 4.4 %.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.layout import QUANTILE
from engine.kernels.words import as_float, as_word
from engine.model.aggregation import QUANTILE_UNIT
from engine.model.sketch import FINEST_SHIFT, HASH_RANGE, SKETCH_ENTRIES

_SIGN = np.uint64(1 << 63)
_ONE = cast("int", np.uint32(1))
"""Of the type of counts, lest `_count` be compiled for two."""


@jit
def empty(sketch: Any) -> None:
    """Let it hold nothing."""
    sketch.level = 0
    sketch.used = 0


@jit
def key_of(value: float, level: int) -> int:
    """The bucket of a value: buckets of negative values have negative keys, that of zero is 0."""
    word = as_word(value)
    size = np.int64((word & ~_SIGN) >> np.uint64(FINEST_SHIFT + level))
    return -size if word & _SIGN else size


@jit
def hash_of(value: float) -> int:
    """A hash of 63 bits of a value, zero of either sign the same (splitmix64's finalizer, Steele et al., 2014)."""
    word = as_word(value + 0.0)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    return np.int64(word >> np.uint64(1))


@jit
def insert_value(sketch: Any, value: float) -> None:
    """Count a value by its bucket."""
    _count(sketch, key_of(value, sketch.level), sketch.level, _ONE)


@jit
def insert_hash(sketch: Any, value: float) -> None:
    """Note a value by its hash."""
    _note(sketch, hash_of(value))


@jit_apart
def join(target: Any, sketch: Any, aggregation: int) -> None:
    """Add what `sketch` holds to `target`."""
    stay_apart()
    if aggregation != QUANTILE:
        for place in range(sketch.used):
            _note(target, sketch.key[place])
        return
    while target.level < sketch.level:
        _collapse(target)
    for place in range(sketch.used):
        _count(target, sketch.key[place], sketch.level, sketch.count[place])


@jit
def _place_of(sketch: Any, key: int) -> int:
    """The place of the first entry whose key is not below `key`."""
    low, high = 0, sketch.used
    while low < high:
        middle = (low + high) // 2
        if sketch.key[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@jit_apart
def _count(sketch: Any, key: int, level: int, count: int) -> None:
    """Add `count` to the bucket that has `key` at `level`; makes buckets coarser while there is no room for it."""
    stay_apart()
    while True:
        at = _coarser(key, sketch.level - level)
        place = _place_of(sketch, at)
        if place < sketch.used and sketch.key[place] == at:
            sketch.count[place] += count
            return
        if sketch.used < SKETCH_ENTRIES:
            _open(sketch, place, at)
            sketch.count[place] = count
            return
        _collapse(sketch)


@jit
def _coarser(key: int, levels: int) -> int:
    """The key `levels` further on, of the magnitude: towards zero for either sign."""
    return -((-key) >> levels) if key < 0 else key >> levels


@jit
def _open(sketch: Any, place: int, key: int) -> None:
    """Make room for an entry at `place`."""
    for moved in range(sketch.used, place, -1):
        sketch.key[moved] = sketch.key[moved - 1]
        sketch.count[moved] = sketch.count[moved - 1]
    sketch.key[place] = key
    sketch.used += 1


@jit_apart
def _collapse(sketch: Any) -> None:
    """One level coarser: each two neighbouring buckets become one."""
    stay_apart()
    kept = 0
    for place in range(sketch.used):
        key, count = _coarser(sketch.key[place], 1), sketch.count[place]
        if kept > 0 and sketch.key[kept - 1] == key:
            sketch.count[kept - 1] += count
        else:
            sketch.key[kept] = key
            sketch.count[kept] = count
            kept += 1
    sketch.used = kept
    sketch.level += 1


@jit_apart
def _note(sketch: Any, hashed: int) -> None:
    """Keep a hash if it is new and among the smallest."""
    stay_apart()
    place = _place_of(sketch, hashed)
    if place < sketch.used and sketch.key[place] == hashed:
        return
    if sketch.used == SKETCH_ENTRIES:
        if place == SKETCH_ENTRIES:
            return
        sketch.used -= 1  # the greatest makes room
    _open(sketch, place, hashed)


@jit
def quantile_in(sketch: Any, quantile: int, window: Any) -> float:
    """The value that so many parts of QUANTILE_UNIT are at most (nearest rank), in the middle of its bucket but
    within what `window` has seen; exact for the least and the greatest.
    """
    rank = (window.count * quantile + QUANTILE_UNIT - 1) // QUANTILE_UNIT
    if rank <= 1:
        return window.min
    if rank >= window.count:
        return window.max
    seen, place = np.int64(0), 0
    while place < sketch.used - 1 and seen + sketch.count[place] < rank:
        seen += sketch.count[place]
        place += 1
    return min(max(_middle(sketch.key[place], sketch.level), window.min), window.max)


@jit
def _middle(key: int, level: int) -> float:
    """The middle of a bucket; zero of the one around it."""
    if key == 0:
        return 0.0
    size = np.uint64(-key if key < 0 else key)
    low = as_float(size << np.uint64(FINEST_SHIFT + level))
    high = as_float((size + np.uint64(1)) << np.uint64(FINEST_SHIFT + level))
    middle = low + (high - low) / 2 if np.isfinite(high) else low
    return -middle if key < 0 else middle


@jit
def distinct_in(sketch: Any) -> float:
    """How many different values were noted: exact while there is room for all, else judged by the greatest hash."""
    if sketch.used < SKETCH_ENTRIES:
        return float(sketch.used)
    return (SKETCH_ENTRIES - 1) / (sketch.key[SKETCH_ENTRIES - 1] / HASH_RANGE)
