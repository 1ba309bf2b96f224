"""Cutting event time: which cell a time falls into, where a window begins and ends, what cells hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.layout import COUNT, DEVIATION, ID_BYTES, LAST, MAX, MEAN, MIN, SHARE, SUM
from engine.kernels.words import copy_bytes, first_bytes, load64, store64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.kernels.layout import Tables


@jit
def index_of(view: Any, calendars: NDArray[np.int64], time: int) -> int:
    """The cell that `time` falls into."""
    if view.calendar < 0:
        return time // view.step
    return np.searchsorted(calendars[view.calendar], time, side="right") - 1


@jit
def start_of(view: Any, calendars: NDArray[np.int64], index: int) -> int:
    """Where cell `index` begins."""
    if view.calendar < 0:
        return index * view.step
    return calendars[view.calendar, index]


@jit
def first_of(view: Any, periods: NDArray[np.int64], index: int) -> int:
    """The first cell of window `index`, which ends with that cell."""
    if view.period < 0:
        return index - view.span + 1
    if index < 0 or index >= periods.shape[1]:
        return index
    return periods[view.period, index]


@jit
def begin_of(tables: Tables, view: Any, index: int) -> int:
    """When window `index` begins."""
    return start_of(view, tables.calendars, first_of(view, tables.periods, index))


@jit
def copy_id(target: NDArray[np.uint8], ids: NDArray[np.uint8], start: int, length: int, hashed: int) -> int:
    """Write an id into `target`, shortened to prefix, tilde and hash if it is long; returns the length written."""
    if length <= ID_BYTES:
        if start + ID_BYTES <= len(ids):
            for done in range(0, length, 8):
                store64(target, done, first_bytes(load64(ids, start + done), length - done))
        else:
            copy_bytes(target, 0, ids, start, length)
        return length
    prefix = ID_BYTES - 17
    copy_bytes(target, 0, ids, start, prefix)
    target[prefix] = 126
    for place in range(16):
        nibble = (hashed >> np.uint64(60 - 4 * place)) & np.uint64(15)
        target[prefix + 1 + place] = nibble + np.uint64(48) if nibble < np.uint64(10) else nibble + np.uint64(87)
    return ID_BYTES


@jit
def clear(cell: Any, index: int) -> None:
    """Make `cell` the empty one of `index`."""
    cell.index = index
    cell.count = 0
    cell.sum = 0.0
    cell.min = np.inf
    cell.max = -np.inf
    cell.nonzero = 0
    cell.last = 0.0
    cell.last_time = -(2**62)
    cell.hash_sum = np.uint64(0)
    cell.extra = 0.0
    cell.first_length = 0
    cell.last_length = 0


@jit
def add(cell: Any, time: int, value: float, hashed: int) -> None:
    """Count one measurement. Among equal event times the one that came last is `last`."""
    cell.count += 1
    cell.sum += value
    cell.min = min(cell.min, value)
    cell.max = max(cell.max, value)
    if value != 0.0:
        cell.nonzero += 1
    if time >= cell.last_time:
        cell.last = value
        cell.last_time = time
    cell.hash_sum += hashed


@jit
def merge(target: Any, cell: Any) -> None:
    """Add the parts of a later `cell` to `target`."""
    if target.count == 0:
        target.first_length = cell.first_length
        copy_bytes(target.first_id, 0, cell.first_id, 0, cell.first_length)
    target.last_length = cell.last_length
    copy_bytes(target.last_id, 0, cell.last_id, 0, cell.last_length)
    target.count += cell.count
    target.sum += cell.sum
    target.min = min(target.min, cell.min)
    target.max = max(target.max, cell.max)
    target.nonzero += cell.nonzero
    if cell.last_time >= target.last_time:
        target.last = cell.last
        target.last_time = cell.last_time
    target.hash_sum += cell.hash_sum


@jit
def aggregate(window: Any, aggregation: int) -> float:
    """The KPI's value of a window that holds at least one measurement."""
    if aggregation == COUNT:
        return float(window.count)
    if aggregation == SUM:
        return window.sum
    if aggregation == MEAN:
        return window.sum / window.count
    if aggregation == MIN:
        return window.min
    if aggregation == MAX:
        return window.max
    if aggregation == LAST:
        return window.last
    if aggregation == SHARE:
        return window.nonzero / window.count
    if aggregation == DEVIATION:
        return np.sqrt(window.extra / window.count)
    return window.extra
