"""Measurements through the kernels: columns into the state of a partition, rows of results out as emissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import WireError
from engine.evaluate.emissions import Emission, Refusal
from engine.evaluate.findings import finding_of, published_of, signals_of
from engine.evaluate.revise import LATE, RESTATED, remember, revise
from engine.kernels.ingest import Bounds, Inputs, ingest
from engine.kernels.layout import (
    CLOSED,
    DONE,
    EVALUATED,
    EVIDENCE,
    FUTURE,
    LEDGER_FULL,
    OUT_OF_RANGE,
    POINTS_FULL,
    RESULTS,
    REVISE,
    REVISED,
    TRANSITION,
)
from engine.kernels.slots import publish_again
from engine.kernels.ticks import tick
from engine.kernels.windows import first_of, index_of
from engine.model.time import EARLIEST, LATEST, Micros, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from engine.kernels.layout import Tables
    from engine.state.partition import PartitionState
    from engine.wire.columns import Columns

_FOREVER = 2**62


def bounds_of(state: PartitionState, future_max: Micros) -> Bounds:
    """What holds for every measurement that comes before the next tick."""
    return Bounds(
        future=_FOREVER if state.tick_time is None else state.tick_time + future_max,
        earliest=EARLIEST,
        latest=LATEST,
        ids_max=state.limits.ids_per_series_max,
        points_max=state.limits.raw_points_max,
        reserve=state.plan.reserve,
        evidence_reserve=state.plan.evidence_reserve,
    )


def measured(state: PartitionState, columns: Columns, future_max: Micros) -> Iterator[Emission]:
    """Take columns; what they say, in their order."""
    # Read-only always, whether they stand in the batch's bytes or not: to numba that is a type, compiled once.
    ids = columns.ids.view()
    ids.flags.writeable = False
    inputs = Inputs(
        columns.row.view(np.uint32),
        columns.time,
        columns.value,
        columns.id_hash,
        columns.revision,
        columns.id_start,
        columns.id_length,
        ids,
    )
    column = 0
    for end in _ends(state, columns):
        part = inputs if end == len(columns.row) else _until(inputs, end)
        yield from _stretch(state, columns, part, column, future_max)
        column = end
        if end and state.plan.derived[state.tables.series["kpi"][columns.row[end - 1]]]:
            yield from _close_worked_out(state, columns, end - 1, future_max)


def _ends(state: PartitionState, columns: Columns) -> list[int]:
    """Where stretches end that are taken at once: behind each value that was worked out, and at the end."""
    count = len(columns.row)
    if not state.plan.derived.any():
        return [count]
    derived = state.plan.derived[state.tables.series["kpi"][columns.row]]
    return sorted({*(np.flatnonzero(derived) + 1).tolist(), count})


def _until(inputs: Inputs, end: int) -> Inputs:
    return Inputs(
        inputs.row[:end],
        inputs.time[:end],
        inputs.value[:end],
        inputs.id_hash[:end],
        inputs.revision[:end],
        inputs.id_start[:end],
        inputs.id_length[:end],
        inputs.ids,
    )


def _stretch(
    state: PartitionState, columns: Columns, inputs: Inputs, column: int, future_max: Micros
) -> Iterator[Emission]:
    """Take the columns of `inputs` from `column` on."""
    bounds, why = bounds_of(state, future_max), DONE
    while column < len(inputs.row) or why != DONE:
        column, why = ingest(state.tables, inputs, bounds, column)
        state.restated |= bool(state.tables.counters[REVISED])
        if why == LEDGER_FULL:
            state.make_room_for_ids()
        elif why == POINTS_FULL:
            state.make_room_for_points()
        yield from drained(state, columns, bounds)


def _close_worked_out(state: PartitionState, columns: Columns, column: int, future_max: Micros) -> Iterator[Emission]:
    """A value that was worked out is all that its window will hold: close it, as if its series had been idle since.

    It says nothing of how long the series has been silent.
    """
    bounds, row = bounds_of(state, future_max), int(columns.row[column])
    waiting = int(state.tables.series["waiting"][row])
    clock = int(state.tables.kpis["clock"][state.tables.series["kpi"][row]])
    tick(state.tables, bounds, clock, state.tick_time or 0, row + 1, row)
    state.tables.series["waiting"][row] = waiting
    yield from drained(state, None, bounds, int(columns.offset[column]))


def drained(state: PartitionState, columns: Columns | None, bounds: Bounds, offset: int = -1) -> Iterator[Emission]:
    """Turn the rows of results into emissions and make room for new ones."""
    tables = state.tables
    for place in _spoken(state, tables):
        result = tables.results[place]
        cause = offset if columns is None else int(columns.offset[result["column"]])
        code = result["code"]
        if code == TRANSITION:
            finding = finding_of(state, tables, result)
            remember(state, result, finding)
            yield Emission(cause, finding)
            yield from (Emission(cause, signal) for signal in signals_of(state, finding))
        elif code == CLOSED:
            yield from (Emission(cause, record) for record in published_of(state, result))
        elif code == REVISE and columns is not None:
            yield from _revise(state, columns, result, cause)
        elif columns is not None:
            yield Emission(cause, _refusal(columns, result, bounds))
    tables.counters[RESULTS] = 0
    tables.counters[EVIDENCE] = 0


def _spoken(state: PartitionState, tables: Tables) -> Iterable[int]:
    """The rows of results but evaluations; these go to whoever traces rules, and no further."""
    used = int(tables.counters[RESULTS])
    if state.trace is None:
        return range(used)
    evaluated = tables.results["code"][:used] == EVALUATED
    state.trace.judged(tables.results[:used][evaluated])
    spoken: list[int] = np.flatnonzero(~evaluated).tolist()
    return spoken


def _revise(state: PartitionState, columns: Columns, result: Any, cause: int) -> Iterator[Emission]:
    """A measurement came into a stretch that was judged already, late or with another value: publish the windows that
    it changed, and what follows.
    """
    number, column, restated = int(result["slot"]), int(result["column"]), bool(result["revision"])
    for finding in revise(state, number, RESTATED if restated else LATE):
        yield Emission(cause, finding)
        yield from (Emission(cause, signal) for signal in signals_of(state, finding))
    slot = state.tables.slots[number]
    view = state.plan.views[int(slot["view_row"])]
    if not view["publish"]:
        return
    index = int(index_of(view, state.tables.calendars, int(columns.time[column])))
    for window in range(max(index, int(slot["final"])), min(index + int(view["span"]), int(slot["closed"]))):
        used = int(state.tables.counters[RESULTS])
        if first_of(view, state.tables.periods, window) > index:
            break  # it begins after what changed
        publish_again(state.tables, number, window)
        if int(state.tables.counters[RESULTS]) > used:
            row = state.tables.results[used]
            yield from (Emission(cause, record) for record in published_of(state, row, restated=restated))
        state.tables.counters[RESULTS] = used


def _refusal(columns: Columns, result: Any, bounds: Bounds) -> Refusal:
    column = int(result["column"])
    item = int(columns.item[column])
    time = int(columns.time[column])
    if result["code"] == FUTURE:
        detail = f"expected an event time up to {format_time(bounds.future)}, found {format_time(time)}"
        return Refusal(item, WireError("from_the_future", detail, path="$.time", index=item))
    if result["code"] == OUT_OF_RANGE:
        detail = (
            f"expected an event time from {format_time(EARLIEST)} to {format_time(LATEST)}, found {format_time(time)}"
        )
        return Refusal(item, WireError("time_out_of_range", detail, path="$.time", index=item))
    detail = (
        "a higher revision of a measurement that was counted already, with another event time, or of one that was "
        "counted before the present rules looked at it"
    )
    return Refusal(item, WireError("restated", detail, path="$.revision", index=item))
