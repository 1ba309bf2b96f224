"""A measurement that is said again with another value: what it was leaves its cells, what it is comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.figures import add_more
from engine.kernels.layout import (
    DEVIATION,
    LATE_RAW,
    LEDGER,
    RAW,
    RESULTS,
    REVISE,
    REVISED,
    SERIES_A_BLOCK,
    WINDOWS,
)
from engine.kernels.windows import add, clear, copy_id, first_of, index_of, start_of

if TYPE_CHECKING:
    from engine.kernels.ingest import Inputs
    from engine.kernels.layout import Tables


@jit
def can_restate(tables: Tables, inputs: Inputs, position: int, column: int) -> bool:
    """Whether the measurement at the ledger's `position` may take another value.

    Not with another event time, not where a view of the series came later than it (its value is NaN), and not where
    the ledger has had to let go of others of its cell.
    """
    entry = tables.ids[position]
    time = inputs.time[column]
    if entry.time != time or np.isnan(entry.value):
        return False
    series = tables.series[entry.row]
    for place in range(tables.kpis[series.kpi].views):
        view = tables.views[tables.slots[series.slot + place].view_row]
        if view.kind == WINDOWS:
            index = index_of(view, tables.calendars, time)
            if start_of(view, tables.calendars, index) < series.bound:
                return False
    return True


@jit_apart
def restate(tables: Tables, inputs: Inputs, position: int, column: int) -> bool:
    """Give the measurement at the ledger's `position` its new value; True when verdicts must be judged again.

    It is no sign of life: neither the watermark nor idleness moves.
    """
    stay_apart()
    entry = tables.ids[position]
    former = entry.value
    entry.value = inputs.value[column]
    entry.revision = inputs.revision[column]
    tables.counters[REVISED] += 1
    tables.dirty[entry.row // SERIES_A_BLOCK] = 1
    series = tables.series[entry.row]
    due = False
    for place in range(tables.kpis[series.kpi].views):
        number = series.slot + place
        view = tables.views[tables.slots[number].view_row]
        changed = False
        if view.kind == WINDOWS:
            changed = _in_window(tables, number, position, former)
        elif view.kind == RAW:
            changed = _among_points(tables, inputs, number, column)
        if changed:
            result = tables.results[tables.counters[RESULTS]]
            tables.counters[RESULTS] += 1
            result.code = REVISE
            result.column = column
            result.slot = number
            result.revision = entry.revision
            due = True
    return due


@jit
def _in_window(tables: Tables, slot_number: int, position: int, former: float) -> bool:
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    entry = tables.ids[position]
    index = index_of(view, tables.calendars, entry.time)
    cell = tables.cells[slot.cell + index % view.cells]
    if index < first_of(view, tables.periods, slot.final) or cell.index != index:
        return False
    if view.aggregation < DEVIATION and _is_within(cell, entry.time, former) and cell.count > 1:
        _replace(cell, former, entry.value)
    else:
        _count_again(tables, view, cell, entry.row)
    return slot.provisional != 0 and max(index, slot.final) < slot.closed


@jit
def _is_within(cell: Any, time: int, former: float) -> bool:
    """Whether the cell's least, greatest and last values are those of other measurements."""
    return cell.min < former < cell.max and time < cell.last_time


@jit
def _replace(cell: Any, former: float, value: float) -> None:
    cell.sum += value - former
    cell.min = min(cell.min, value)
    cell.max = max(cell.max, value)
    if former != 0.0:
        cell.nonzero -= 1
    if value != 0.0:
        cell.nonzero += 1


@jit
def _count_again(tables: Tables, view: Any, cell: Any, row: int) -> None:
    """Add the cell up anew from the ledger, which holds all that can still change; its first and last ids stay."""
    first, last = cell.first_length, cell.last_length
    begin = start_of(view, tables.calendars, cell.index)
    end = start_of(view, tables.calendars, cell.index + 1)
    clear(cell, cell.index)
    for position in range(tables.counters[LEDGER]):
        entry = tables.ids[position]
        if entry.row == row and begin <= entry.time < end:
            add_more(tables, view, cell, entry.value)
            add(cell, entry.time, entry.value, entry.hash)
    cell.first_length, cell.last_length = first, last


@jit
def _among_points(tables: Tables, inputs: Inputs, slot_number: int, column: int) -> bool:
    """Replace the value of a raw point that can still change; one that cannot is counted as late."""
    slot = tables.slots[slot_number]
    sought = tables.results[len(tables.results) - 1].window  # the last row is scratch
    start, length = inputs.id_start[column], inputs.id_length[column]
    size = copy_id(sought.first_id, inputs.ids, start, length, inputs.id_hash[column])
    for place in range(slot.points):
        point = tables.points[slot.point + slot.head + place]
        if slot.final < point.time == inputs.time[column] and _is_same_id(point, sought.first_id, size):
            point.value = inputs.value[column]
            return True
    tables.counters[LATE_RAW] += 1
    return False


@jit
def _is_same_id(point: Any, identifier: Any, size: int) -> bool:
    if point.length != size:
        return False
    same = True
    for place in range(size):
        same = same and point.id[place] == identifier[place]
    return same
