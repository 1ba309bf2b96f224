"""How long each declared series has been silent when it was last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels.layout import UNSET
from engine.kernels.silence import silence
from engine.model.records import Ingested, Tick
from engine.model.time import format_time, parse_own_time
from engine.offline.why.evaluations import Dated, Evaluation
from engine.offline.why.of_series import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.state.partition import PartitionState
    from engine.wire.columns import Chunk


class Ticks:
    """The last tick that each partition has had, and of each mapped source the last mark, which is its series' tick."""

    def __init__(self) -> None:
        self._marks: dict[tuple[int, str], Micros] = {}

    def take(self, state: PartitionState, chunk: Chunk) -> None:
        """A chunk that `state` is about to take. A tick of a replay stands for all marks."""
        record = None if chunk.control is None else chunk.control.record
        if isinstance(record, Ingested):
            self._mark(state, record.source, record.time)
        elif isinstance(record, Tick) and record.domain == "replay":
            for source in state.plan.clocks:
                self._mark(state, source, record.time)

    def last(self, state: PartitionState, clock: int) -> Micros | None:
        """The last time at which series of `clock` (see `kernels.layout.KPI`) were looked at; None: never."""
        return state.tick_time if clock < 0 else self._marks.get((state.partition, state.plan.clocks[clock]))

    def _mark(self, state: PartitionState, source: str, time: str) -> None:
        key = state.partition, source
        self._marks[key] = max(parse_own_time(time), self._marks.get(key, 0))


def silence_of(state: PartitionState, ticks: Ticks, slot: int, instance: Any) -> Iterator[Dated]:
    """What a rule that looks for silence found at the last tick, in the state that it has now; nothing before the
    first. A series of which something has come since then has waited for nothing.
    """
    series = int(state.tables.slots[slot]["series"])
    row = state.tables.series[series]
    time = ticks.last(state, int(state.plan.kpis[row["kpi"]]["clock"]))
    if time is None:
        return
    waiting = time if int(row["waiting"]) == UNSET else int(row["waiting"])
    _, waited, allowed = silence(state.plan.rules[int(instance["rule"])], waiting, time)
    key, phase = state.series[series].key, STATES[int(instance["phase"])]
    yield Dated(time, key, 0, Evaluation(format_time(time), key, phase, statistic=waited, limit=allowed))
