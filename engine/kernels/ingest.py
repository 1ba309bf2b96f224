"""Columns of measurements into state, in log order: the one pass that every measurement takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.figures import add_more
from engine.kernels.held import held
from engine.kernels.ids import find, index_one
from engine.kernels.layout import (
    ACCEPTED,
    DONE,
    DUPLICATES,
    EVIDENCE,
    FIRING,
    FUTURE,
    IDS_LIMIT,
    INACTIVE,
    LATE,
    LATE_RAW,
    LEDGER,
    LEDGER_FULL,
    NO_INDEX,
    NOTHING,
    OUT_OF_RANGE,
    POINTS_FULL,
    POINTS_LIMIT,
    POINTS_SLOT,
    RAW,
    RESOLVED,
    RESTATED,
    RESULTS,
    RESULTS_FULL,
    REVISE,
    REVISION_DUE,
    SERIES_A_BLOCK,
    SPOKEN,
    UNSET,
    WINDOWS,
)
from engine.kernels.look_ahead import look_ahead
from engine.kernels.restate import can_restate, restate
from engine.kernels.slots import close_windows, copy_instances, floor_of, keep_base, settle_points, settle_windows
from engine.kernels.step import emit_transition, step
from engine.kernels.windows import add, clear, copy_id, first_of, index_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.kernels.layout import Tables


class Inputs(NamedTuple):
    """The columns of a chunk (as `wire.columns.Columns`), without what the pass does not read."""

    row: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    id_hash: NDArray[np.uint64]
    revision: NDArray[np.int32]
    id_start: NDArray[np.int32]
    id_length: NDArray[np.int32]
    ids: NDArray[np.uint8]


class Bounds(NamedTuple):
    """What holds for every measurement of a pass.

    `future`: no event time beyond it; `earliest`, `latest`: what calendars cover; `ids_max` a series; `points_max`
    raw points a slot; `reserve`, `evidence_reserve`: results and evidence that one measurement may need.
    """

    future: int
    earliest: int
    latest: int
    ids_max: int
    points_max: int
    reserve: int
    evidence_reserve: int


@jit
def ingest(tables: Tables, inputs: Inputs, bounds: Bounds, start: int) -> tuple[int, int]:
    """Take columns from `start` on; returns (next column, why it stopped there). Nothing of that column is done yet."""
    return _ingest(held(tables), held(inputs), bounds, start)


@jit_apart
def _ingest(tables: Tables, inputs: Inputs, bounds: Bounds, start: int) -> tuple[int, int]:
    stay_apart()
    counters = tables.counters
    for column in range(start, len(inputs.row)):
        look_ahead(tables, inputs, column)
        if counters[RESULTS] + bounds.reserve >= len(tables.results) or counters[
            EVIDENCE
        ] + bounds.evidence_reserve > len(tables.evidence_index):
            return column, RESULTS_FULL
        if counters[LEDGER] >= len(tables.ids):
            return column, LEDGER_FULL
        if not _room_for_points(tables, inputs.row[column], bounds.points_max):
            return column, POINTS_FULL
        floor = floor_of(tables, inputs.row[column])
        if _refused(tables, inputs, bounds, column, floor):
            continue
        position = find(tables.ids, tables.places, inputs.row[column], inputs.id_hash[column])
        if position >= 0:
            due = _said_again(tables, inputs, position, column)
        else:
            _remember_id(tables, inputs, bounds, column, floor)
            due = _apply(tables, inputs, column)
        if due:
            return column + 1, REVISION_DUE
    return len(inputs.row), DONE


@jit
def _room_for_points(tables: Tables, row: int, points_max: int) -> bool:
    """Whether each raw slot of the series can take a point; names the one that cannot."""
    series = tables.series[row]
    for place in range(tables.kpis[series.kpi].views):
        slot = tables.slots[series.slot + place]
        view = tables.views[slot.view_row]
        if view.kind == RAW and view.lateness > 0:
            if slot.points >= points_max:
                settle_points(tables, series.slot + place, tables.points[slot.point + slot.head].time)
                tables.counters[POINTS_LIMIT] += 1
            if slot.points == slot.room:
                tables.counters[POINTS_SLOT] = series.slot + place
                return False
    return True


@jit
def _refused(tables: Tables, inputs: Inputs, bounds: Bounds, column: int, floor: int) -> bool:
    """Late, or something that becomes a dead letter: it leaves no trace in the series."""
    time = inputs.time[column]
    if time < bounds.earliest or time >= bounds.latest:
        _tell(tables, OUT_OF_RANGE, column)
        return True
    if time > bounds.future:
        _tell(tables, FUTURE, column)
        return True
    if time < floor:
        tables.counters[LATE] += 1
        return True
    return False


@jit
def _said_again(tables: Tables, inputs: Inputs, position: int, column: int) -> bool:
    """A measurement whose id is known: a repeat, or one that is restated; True when verdicts must be judged again."""
    if inputs.revision[column] <= tables.ids[position].revision:
        tables.counters[DUPLICATES] += 1
        return False
    if not can_restate(tables, inputs, position, column):
        _tell(tables, RESTATED, column)
        return False
    return restate(tables, inputs, position, column)


@jit
def _tell(tables: Tables, code: int, column: int) -> None:
    result = tables.results[tables.counters[RESULTS]]
    tables.counters[RESULTS] += 1
    result.code = code
    result.column = column


@jit
def _remember_id(tables: Tables, inputs: Inputs, bounds: Bounds, column: int, floor: int) -> None:
    """Enter the id into the ledger, and count it in the series' present generation."""
    row = inputs.row[column]
    time = inputs.time[column]
    position = tables.counters[LEDGER]
    entry = tables.ids[position]
    entry.hash = inputs.id_hash[column]
    entry.row = row
    entry.time = time
    entry.value = inputs.value[column]
    entry.revision = inputs.revision[column]
    index_one(tables.ids, tables.places, position)
    tables.counters[LEDGER] = position + 1
    tables.counters[ACCEPTED] += 1
    tables.dirty[row // SERIES_A_BLOCK] = 1
    series = tables.series[row]
    series.ids_since += 1
    if floor > series.mark:
        series.ids_before = series.ids_since
        series.ids_since = 0
        series.mark = max(series.newest, time)
    elif series.ids_before + series.ids_since >= bounds.ids_max:
        series.bound = max(series.newest, time)
        tables.counters[IDS_LIMIT] += 1


@jit
def _apply(tables: Tables, inputs: Inputs, column: int) -> bool:
    """Show the measurement to every view of its series; True when some verdicts must be judged again."""
    row = inputs.row[column]
    time = inputs.time[column]
    series = tables.series[row]
    series.newest = max(series.newest, time)
    series.waiting = UNSET
    due = False
    for place in range(tables.kpis[series.kpi].views):
        slot_number = series.slot + place
        view = tables.views[tables.slots[slot_number].view_row]
        if view.kind == WINDOWS:
            revise = _into_window(tables, inputs, slot_number, series.newest, column)
        elif view.kind == RAW and view.lateness == 0:
            revise = _as_it_comes(tables, inputs, slot_number, column)
        elif view.kind == RAW:
            revise = _into_points(tables, inputs, slot_number, series.newest, column)
        else:
            _end_silence(tables, slot_number, time, inputs, column)
            revise = False
        if revise:
            _tell(tables, REVISE, column)
            result = tables.results[tables.counters[RESULTS] - 1]
            result.slot = slot_number
            result.revision = 0
            due = True
    return due


@jit
def _into_window(tables: Tables, inputs: Inputs, slot_number: int, newest: int, column: int) -> bool:
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    time = inputs.time[column]
    index = index_of(view, tables.calendars, time)
    closed = final = index  # dividing takes as long as all the rest here
    if time != newest - view.lateness:
        closed = final = index_of(view, tables.calendars, newest - view.lateness)
    if view.grace > 0:
        final = index_of(view, tables.calendars, newest - view.lateness - view.grace)
    settle_windows(tables, slot_number, final)
    if final < closed:
        close_windows(tables, slot_number, final, column)  # final at once: they belong to the base
        keep_base(tables, slot_number)
    close_windows(tables, slot_number, closed, column)
    if index < first_of(view, tables.periods, slot.final):
        return False
    slot.newest = max(slot.newest, index)
    cell = tables.cells[slot.cell + index % view.cells]
    if cell.index != index:
        clear(cell, index)
    hashed = inputs.id_hash[column]
    start, length = inputs.id_start[column], inputs.id_length[column]
    if cell.count == 0:
        cell.first_length = copy_id(cell.first_id, inputs.ids, start, length, hashed)
    cell.last_length = copy_id(cell.last_id, inputs.ids, start, length, hashed)
    add_more(tables, view, cell, inputs.value[column])
    add(cell, time, inputs.value[column], hashed)
    return slot.provisional != 0 and max(index, slot.final) < slot.closed


@jit
def _as_it_comes(tables: Tables, inputs: Inputs, slot_number: int, column: int) -> bool:
    """A raw point where nothing late is taken."""
    slot = tables.slots[slot_number]
    if inputs.time[column] < slot.newest:
        tables.counters[LATE_RAW] += 1
    else:
        slot.newest = inputs.time[column]
        _step_point(tables, inputs, slot_number, column)
    return False


@jit_apart
def _into_points(tables: Tables, inputs: Inputs, slot_number: int, newest: int, column: int) -> bool:
    """Into the ring of a view with a lateness."""
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    time = inputs.time[column]
    bound = newest - view.lateness
    # What became final before its time did so by silence, or for want of room.
    if (time < slot.newest and time < bound) or (slot.final >= bound and time <= slot.final):
        tables.counters[LATE_RAW] += 1
        return False
    if slot.newest == UNSET:
        copy_instances(tables, slot, tables.instances, tables.base)
    in_order = time >= slot.newest
    settle_points(tables, slot_number, bound - 1)  # others of the time `bound` may still come
    _insert_point(tables, inputs, slot, column)
    slot.newest = max(slot.newest, time)
    if in_order:
        _step_point(tables, inputs, slot_number, column)
    return not in_order


@jit
def _insert_point(tables: Tables, inputs: Inputs, slot: Any, column: int) -> None:
    """Keep the ring sorted by event time, arrivals of one time in their order."""
    if slot.head > 0 and slot.head + slot.points == slot.room:
        for place in range(slot.points):
            tables.points[slot.point + place] = tables.points[slot.point + slot.head + place]
        slot.head = 0
    time = inputs.time[column]
    place = slot.point + slot.head + slot.points
    while place > slot.point + slot.head and tables.points[place - 1].time > time:
        tables.points[place] = tables.points[place - 1]
        place -= 1
    _write_point(tables.points[place], inputs, column)
    slot.points += 1


@jit
def _write_point(point: Any, inputs: Inputs, column: int) -> None:
    point.time = inputs.time[column]
    point.value = inputs.value[column]
    start, length = inputs.id_start[column], inputs.id_length[column]
    point.length = copy_id(point.id, inputs.ids, start, length, inputs.id_hash[column])


@jit
def _step_point(tables: Tables, inputs: Inputs, slot_number: int, column: int) -> None:
    slot = tables.slots[slot_number]
    time, value = inputs.time[column], inputs.value[column]
    for place in range(tables.views[slot.view_row].rules):
        number = slot.instance + place
        if step(tables, tables.instances, number, NO_INDEX, time, value, column, SPOKEN) != NOTHING:
            window = tables.results[tables.counters[RESULTS] - 1].window
            start, length = inputs.id_start[column], inputs.id_length[column]
            window.first_length = copy_id(window.first_id, inputs.ids, start, length, inputs.id_hash[column])


@jit_apart
def _end_silence(tables: Tables, slot_number: int, time: int, inputs: Inputs, column: int) -> None:
    stay_apart()
    slot = tables.slots[slot_number]
    for place in range(tables.views[slot.view_row].rules):
        number = slot.instance + place
        instance = tables.instances[number]
        if instance.phase >= FIRING:
            instance.phase = INACTIVE
            result = emit_transition(tables, instance, number, RESOLVED, time)
            result.column = column
            result.value = inputs.value[column]
            start, length = inputs.id_start[column], inputs.id_length[column]
            window = result.window
            window.first_length = copy_id(window.first_id, inputs.ids, start, length, inputs.id_hash[column])
            result.seen = time
