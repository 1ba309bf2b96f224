"""What a slot does as its series' watermark moves: windows close, provisional ones become final, raw points too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.figures import gather
from engine.kernels.held import held
from engine.kernels.layout import (
    NO_COLUMN,
    NO_INDEX,
    NOTHING,
    RATE,
    RAW,
    RESULTS,
    SILENCE,
    SILENT,
    SPOKEN,
    UNSET,
    WINDOWS,
)
from engine.kernels.step import emit_closed, step, step_window
from engine.kernels.windows import begin_of, index_of

if TYPE_CHECKING:
    from engine.kernels.layout import Tables

FOREVER = 2**62


@jit
def floor_of(tables: Tables, row: int) -> int:
    """The acceptance bound of a series: what is older is late for every view of it."""
    series = tables.series[row]
    if series.newest == UNSET:
        return series.bound
    kpi = tables.kpis[series.kpi]
    floor = FOREVER
    for place in range(kpi.views):
        slot = tables.slots[series.slot + place]
        view = tables.views[slot.view_row]
        if view.kind == RAW:
            floor = min(floor, max(series.newest - view.lateness, slot.final))
        elif view.kind == WINDOWS:
            final = index_of(view, tables.calendars, series.newest - view.lateness - view.grace)
            floor = min(floor, begin_of(tables, view, final))
    return max(series.bound, floor)


@jit
def floors_of(tables: Tables, floors: Any) -> None:
    """`floor_of` for the first rows, as many as `floors` holds."""
    _floors_of(held(tables), floors)


@jit_apart
def _floors_of(tables: Tables, floors: Any) -> None:
    stay_apart()
    for row in range(len(floors)):
        floors[row] = floor_of(tables, row)


@jit
def copy_instances(tables: Tables, slot: Any, source: Any, target: Any) -> None:
    """Copy the instances of one slot from one table to another of the same shape."""
    for number in range(slot.instance, slot.instance + tables.views[slot.view_row].rules):
        target[number] = source[number]


@jit
def _keep_opened(tables: Tables, slot: Any) -> None:
    """The base is stepped in silence: which revision opened an episode it learns from the instance that said so."""
    for number in range(slot.instance, slot.instance + tables.views[slot.view_row].rules):
        if tables.base[number].opened == tables.instances[number].opened:
            tables.base[number].opened_revision = tables.instances[number].opened_revision


@jit
def close_windows(tables: Tables, slot_number: int, upto: int, column: int) -> None:
    """Close the windows below `upto`: each that is not empty goes through the rules and, if asked for, out."""
    slot = tables.slots[slot_number]
    if slot.closed < upto:
        if UNSET not in (slot.closed, slot.newest):
            _close(tables, slot_number, upto, column)
        slot.closed = upto


@jit_apart
def _close(tables: Tables, slot_number: int, upto: int, column: int) -> None:
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    for index in range(slot.closed, min(upto, slot.newest + view.span)):
        window = tables.cells[slot.cell + index % view.cells]
        if view.span > 1 or view.aggregation >= RATE or window.index != index:
            window = tables.results[len(tables.results) - 1].window  # the last row is scratch
            gather(tables, slot, view, index, window)
        if window.count > 0:
            step_window(tables, tables.instances, slot_number, window, column, SPOKEN)
            if view.publish:
                emit_closed(tables, slot_number, window, column)


@jit
def settle_windows(tables: Tables, slot_number: int, final: int) -> None:
    """Windows below `final` can no longer change: take the provisional ones among them into the base."""
    slot = tables.slots[slot_number]
    if slot.final < final:
        if slot.provisional:
            _settle(tables, slot_number, final)
        slot.final = final


@jit_apart
def _settle(tables: Tables, slot_number: int, final: int) -> None:
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    window = tables.results[len(tables.results) - 1].window
    for index in range(slot.final, min(final, slot.closed)):
        gather(tables, slot, view, index, window)
        if window.count > 0:
            step_window(tables, tables.base, slot_number, window, NO_COLUMN, SILENT)
    _keep_opened(tables, slot)
    if final >= slot.closed:
        slot.provisional = 0


@jit
def keep_base(tables: Tables, slot_number: int) -> None:
    """What closes from here on can still change: the instances as they stand are where judging again begins."""
    slot = tables.slots[slot_number]
    if not slot.provisional:
        copy_instances(tables, slot, tables.instances, tables.base)
        slot.provisional = 1


@jit
def close_idle(tables: Tables, slot_number: int) -> bool:
    """Close every window that holds something, though the watermark has not passed it: provisionally. False: none
    was open. Of windows that run on to the end of a period, those up to the newest measurement.
    """
    slot = tables.slots[slot_number]
    if slot.newest == UNSET:
        return False
    view = tables.views[slot.view_row]
    upto = slot.newest + (view.span if view.period < 0 else 1)
    if slot.closed >= upto:
        return False
    keep_base(tables, slot_number)
    close_windows(tables, slot_number, upto, NO_COLUMN)
    return True


@jit_apart
def settle_points(tables: Tables, slot_number: int, upto: int) -> None:
    """Raw points up to event time `upto` can no longer change: take them into the base and let them go."""
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    while slot.points > 0:
        point = tables.points[slot.point + slot.head]
        if point.time > upto:
            break
        for place in range(view.rules):
            step(tables, tables.base, slot.instance + place, NO_INDEX, point.time, point.value, NO_COLUMN, SILENT)
        slot.head += 1
        slot.points -= 1
        _keep_opened(tables, slot)
    if slot.points == 0:
        slot.head = 0
    slot.final = max(slot.final, upto)


@jit
def replay(tables: Tables, slot_number: int) -> None:
    """Judge again everything that is not final, from the base; the results are all transitions of that stretch, and all
    its evaluations by traced rules.
    """
    _replay(held(tables), slot_number)


@jit_apart
def _replay(tables: Tables, slot_number: int) -> None:
    stay_apart()
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    copy_instances(tables, slot, tables.base, tables.instances)
    if view.kind == WINDOWS:
        window = tables.results[len(tables.results) - 1].window
        for index in range(slot.final, slot.closed):
            gather(tables, slot, view, index, window)
            if window.count > 0:
                step_window(tables, tables.instances, slot_number, window, index, SPOKEN)
        return
    if view.kind == SILENCE:
        return
    for place in range(slot.points):
        point = tables.points[slot.point + slot.head + place]
        for rule in range(view.rules):
            number, column = slot.instance + rule, int(place)
            if step(tables, tables.instances, number, NO_INDEX, point.time, point.value, column, SPOKEN) != NOTHING:
                cite_point(tables.results[tables.counters[RESULTS] - 1], point)


@jit
def publish_again(tables: Tables, slot_number: int, index: int) -> None:
    """Publish window `index`, which was closed before, as it stands now."""
    _publish_again(held(tables), slot_number, index)


@jit_apart
def _publish_again(tables: Tables, slot_number: int, index: int) -> None:
    stay_apart()
    slot = tables.slots[slot_number]
    window = tables.results[len(tables.results) - 1].window
    gather(tables, slot, tables.views[slot.view_row], index, window)
    if window.count > 0:
        emit_closed(tables, slot_number, window, NO_COLUMN)


@jit
def cite_point(result: Any, point: Any) -> None:
    """Put a raw point's id into a result."""
    result.window.first_length = point.length
    for place in range(point.length):
        result.window.first_id[place] = point.id[place]
