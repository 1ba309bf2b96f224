"""evaluate: a chunk of the log through the state of its partition, and what that says.

The same records give the same emissions however they are cut: state moves record by record, and everything that is said
carries the offset of the record that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.evaluate.activate import activated, note_activation
from engine.evaluate.emissions import Emission, Forward, Refusal, TickPassed
from engine.evaluate.findings import signals_of
from engine.evaluate.intake import bounds_of, drained, measured
from engine.kernels.registry import ABSENT
from engine.kernels.ticks import tick
from engine.model.records import Activate, Ingested, Rebaseline, Tick
from engine.model.time import Micros, parse_own_time
from engine.wire.columns import Chunk, Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.rules.ruleset import RuleSet
    from engine.state.partition import PartitionState


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
    said = list(measured(state, chunk.columns, around.future_max))
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
    bounds = bounds_of(state, around.future_max)
    row = 0
    while row < len(state.series):
        row = int(tick(state.tables, bounds, clock, time, len(state.series), row))
        yield from drained(state, None, bounds, offset)


def _rebaseline(state: PartitionState, record: Rebaseline) -> list[Emission]:
    """Forget the history of one rule on one series; its verdicts so far stand."""
    row = state.series.find(record.series.encode())
    if row != ABSENT:
        state.forget_history(row, record.rule)
    return []
