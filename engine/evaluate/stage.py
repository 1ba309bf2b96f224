"""evaluate: a chunk of the log through the state of its partition, and what that says.

The same records give the same emissions however they are cut: state moves record by record, and everything that is said
carries the offset of the record that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import WireError
from engine.evaluate.activate import activated, note_activation
from engine.evaluate.emissions import Emission, Forward, Refusal, TickPassed
from engine.evaluate.findings import finding_of, published_of, signals_of
from engine.evaluate.revise import LATE, RESTATED, remember, revise
from engine.kernels.ingest import Bounds, Inputs, ingest
from engine.kernels.layout import (
    CLOSED,
    DONE,
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
from engine.kernels.registry import ABSENT
from engine.kernels.slots import publish_again
from engine.kernels.ticks import tick
from engine.kernels.windows import first_of, index_of
from engine.model.records import Activate, Ingested, Rebaseline, Tick
from engine.model.time import EARLIEST, LATEST, Micros, format_time, parse_own_time
from engine.wire.columns import Chunk, Columns, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from engine.rules.ruleset import RuleSet
    from engine.state.partition import PartitionState

_FOREVER = 2**62


class Surroundings(NamedTuple):
    """What evaluation needs beside state and log: the sets that an activation may name, and how far ahead is too
    far.
    """

    rule_sets: Mapping[str, RuleSet]
    future_max: Micros


def evaluate(state: PartitionState, chunk: Chunk, around: Surroundings) -> tuple[PartitionState, list[Emission]]:
    """Take a chunk; returns the state after it and what it says, in order of cause.

    The state is changed in place; it is another object only after an activation took effect.
    """
    said = list(_measurements(state, chunk.columns, around.future_max))
    for aside in chunk.asides:
        if isinstance(aside, Foreign):
            said.append(Emission(aside.offset, Forward(aside.key, aside.value)))
        else:
            said.append(Emission(aside.offset, Refusal(aside.error.index or 0, aside.error)))
    said.sort(key=lambda emission: emission.offset)
    if chunk.control is not None:
        state, more = _control(state, chunk.control.offset, chunk.control.record, around)
        said.extend(more)
    return state, said


def _bounds(state: PartitionState, future_max: Micros) -> Bounds:
    return Bounds(
        future=_FOREVER if state.tick_time is None else state.tick_time + future_max,
        earliest=EARLIEST,
        latest=LATEST,
        ids_max=state.limits.ids_per_series_max,
        points_max=state.limits.raw_points_max,
        reserve=state.plan.reserve,
        evidence_reserve=state.plan.evidence_reserve,
    )


def _measurements(state: PartitionState, columns: Columns, future_max: Micros) -> Iterator[Emission]:
    # Read-only always, whether they stand in the batch's bytes or not: to numba that is a type, compiled once.
    ids = columns.ids.view()
    ids.flags.writeable = False
    inputs = Inputs(
        columns.row,
        columns.time,
        columns.value,
        columns.id_hash,
        columns.revision,
        columns.id_start,
        columns.id_length,
        ids,
    )
    bounds = _bounds(state, future_max)
    column, why = 0, DONE
    while column < len(columns.row) or why != DONE:
        column, why = ingest(state.tables, inputs, bounds, column)
        state.restated |= bool(state.tables.counters[REVISED])
        if why == LEDGER_FULL:
            state.make_room_for_ids()
        elif why == POINTS_FULL:
            state.make_room_for_points()
        yield from _drain(state, columns, bounds)


def _drain(state: PartitionState, columns: Columns | None, bounds: Bounds, offset: int = -1) -> Iterator[Emission]:
    """Turn the rows of results into emissions and make room for new ones."""
    tables = state.tables
    for place in range(int(tables.counters[RESULTS])):
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


def _control(
    state: PartitionState, offset: int, record: Tick | Activate | Ingested | Rebaseline, around: Surroundings
) -> tuple[PartitionState, list[Emission]]:
    if isinstance(record, Tick):
        return _tick(state, offset, record, around)
    if isinstance(record, Activate):
        note_activation(state, record)
        return state, []
    if isinstance(record, Ingested):
        return state, list(_ingested(state, offset, record, around))
    return state, _rebaseline(state, record)


def _tick(
    state: PartitionState, offset: int, record: Tick, around: Surroundings
) -> tuple[PartitionState, list[Emission]]:
    if state.tick_number is not None and record.number <= state.tick_number:
        return state, []
    time = parse_own_time(record.time)
    said: list[Emission] = []
    for clock in _clocks(state, record):
        said.extend(_age(state, offset, clock, time, around))
    # Stage 2 takes the set over once it has judged what was caused up to this tick: nothing of it may be said before.
    while state.pending and record.number >= state.pending[0].from_tick:
        state, findings, fired = activated(state, around.rule_sets[state.pending[0].hash])
        for finding in findings:
            said.append(Emission(offset, finding))
            said.extend(Emission(offset, signal) for signal in signals_of(state, finding))
        said.extend(Emission(offset, signal) for signal in fired)
    said.append(Emission(offset, TickPassed(record.number, time)))
    state.tick_number, state.tick_time = record.number, time
    return state, said


def _clocks(state: PartitionState, record: Tick) -> range:
    """The clocks that a tick moves. A replay has no marks: its sender speaks for mapped sources as well."""
    return range(-1, len(state.plan.clocks) if record.domain == "replay" else 0)


def _ingested(state: PartitionState, offset: int, record: Ingested, around: Surroundings) -> Iterator[Emission]:
    """A mark is the tick of the series that its source feeds."""
    if record.source not in state.plan.clocks or record.tick <= state.marks.get(record.source, -1):
        return
    state.marks[record.source] = record.tick
    clock = state.plan.clocks.index(record.source)
    yield from _age(state, offset, clock, parse_own_time(record.time), around)


def _age(state: PartitionState, offset: int, clock: int, time: Micros, around: Surroundings) -> Iterator[Emission]:
    bounds = _bounds(state, around.future_max)
    row = 0
    while row < len(state.series):
        row = int(tick(state.tables, bounds, clock, time, len(state.series), row))
        yield from _drain(state, None, bounds, offset)


def _rebaseline(state: PartitionState, record: Rebaseline) -> list[Emission]:
    """Forget the history of one rule on one series; its verdicts so far stand."""
    row = state.series.find(record.series.encode())
    if row != ABSENT:
        state.forget_history(row, record.rule)
    return []
