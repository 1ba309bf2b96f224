"""Arrow columns as the numbers and texts that measurements are made of, without an object for any of them.

Each function marks in `taken` (uint8, one a row) what it leaves: that row is read by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from engine.kernels.texts import TEXT_ROOM, numbers_of, times_of
from engine.model.time import SECOND
from engine.wire.item import REVISION_MAX
from engine.wire.times import EARLIEST, LATEST, MILLISECONDS_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Taken = NDArray[np.uint8]

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EXACT_MAX = 2**53


class Texts(NamedTuple):
    """Text number n is `data[starts[n] : starts[n] + lengths[n]]` (int32 both); without one the length is 0."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int32]
    lengths: NDArray[np.int32]


def texts_of(column: pa.Array) -> Texts:
    """A column of strings."""
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    lengths = np.diff(places)
    if column.null_count:
        lengths[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return Texts(np.frombuffer(data or b"", np.uint8), places[:-1], lengths)


def is_text(column: pa.Array) -> bool:
    """Whether it holds strings with 32-bit places."""
    return bool(pa.types.is_string(column.type))


def values(column: pa.Array, taken: Taken) -> NDArray[np.float64]:
    """Finite doubles."""
    found = np.zeros(len(column), np.float64)
    kind = column.type
    if is_text(column):
        numbers_of(*texts_of(column), np.zeros(TEXT_ROOM, np.uint8), found, taken)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        _leave_nulls(column, taken)
        found = np.array(_plain(column), np.float64)  # a copy: kernels are compiled anew for what is read-only
        finite = np.isfinite(found)
        if not finite.all():
            taken[~finite] = 0
    else:
        taken[:] = 0
    return found


def revisions(column: pa.Array, taken: Taken) -> NDArray[np.int32]:
    """Whole numbers from 0 on; 0 where there is none."""
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int32)
    if not pa.types.is_integer(column.type):
        if not (is_text(column) and not texts_of(column).lengths.any()):
            taken[:] = 0
        return np.zeros(len(column), np.int32)
    whole = _plain(column)
    taken[(whole < 0) | (whole > REVISION_MAX)] = 0
    return whole.astype(np.int32)


def times(column: pa.Array, time_unit: str, taken: Taken) -> NDArray[np.int64]:
    """Microseconds of moments: with an offset, or numbers of `time_unit` since the epoch."""
    found = np.zeros(len(column), np.int64)
    kind = column.type
    if is_text(column):
        times_of(*texts_of(column), _UNITS[time_unit], np.zeros(TEXT_ROOM, np.uint8), found, taken)
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        _leave_nulls(column, taken)
        found = _micros(_plain(column.cast(pa.int64())).astype(np.int64, copy=False), kind.unit)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        _leave_nulls(column, taken)
        found = _since_epoch(_plain(column), _UNITS[time_unit], taken)
    else:
        taken[:] = 0
    outside = (found < EARLIEST) | (found >= LATEST)
    if outside.any():
        taken[outside] = 0
    return found


def _micros(counts: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Digits below the microsecond are dropped."""
    per = _UNITS[unit]
    return counts // (per // SECOND) if per >= SECOND else counts * (SECOND // per)


def _since_epoch(counts: NDArray[np.number], per_second: int, taken: Taken) -> NDArray[np.int64]:
    """Numbers since the epoch, rounded as `client.rows` and `wire.times` do it one by one."""
    if per_second == 1 and counts.dtype.kind in "iu":
        taken[(counts > MILLISECONDS_FROM) | (counts < -MILLISECONDS_FROM)] = 0
        whole: NDArray[np.int64] = np.where(taken != 0, counts, 0).astype(np.int64) * SECOND
        return whole
    with np.errstate(invalid="ignore", over="ignore"):
        seconds = counts.astype(np.float64) / per_second
        wrong = ~(np.abs(seconds) <= MILLISECONDS_FROM) | ~(np.abs(counts.astype(np.float64)) <= _EXACT_MAX)
        taken[wrong] = 0
        rounded: NDArray[np.int64] = np.rint(np.where(wrong, 0.0, seconds) * SECOND).astype(np.int64)
        return rounded


def _leave_nulls(column: pa.Array, taken: Taken) -> None:
    if column.null_count:
        taken[column.is_null().to_numpy(zero_copy_only=False)] = 0


def _plain(column: pa.Array) -> NDArray[np.number]:
    """The numbers, zero where there is none."""
    filled = column.fill_null(0) if column.null_count else column
    found: NDArray[np.number] = filled.to_numpy(zero_copy_only=False)
    return found
