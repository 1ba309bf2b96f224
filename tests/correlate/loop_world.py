"""Both stages over logs that they write to themselves, taking turns at random and dying between: what a worker is to
a KPI with a formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.records import Activate, Tick
from engine.model.time import HOUR, Micros, format_time
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement, encode_record
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from random import Random

    from engine.model.measurement import Measurement
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output

Place = tuple[str, int]


class Loop:
    """So many partitions of both topics. `said` is all that stages have sent to other topics, repeats and all."""

    def __init__(self, rules: RuleSet, partitions: int, findings: int, draw: Random, *, dies: float = 0.0) -> None:
        self.context = StageContext({rules.hash: rules}, rules.hash, partitions, findings, future_max=HOUR)
        self.counts = {MEASUREMENTS: partitions, FINDINGS: findings}
        places = [(topic, number) for topic, count in self.counts.items() for number in range(count)]
        activation = Activate(0, rules.hash, 0)
        first = {MEASUREMENTS: encode_control(activation), FINDINGS: Record(b"", encode_record(activation))}
        self.logs: dict[Place, list[Record]] = {place: [first[place[0]]] for place in places}
        self.stages = {place: self._made(place) for place in places}
        self.at = dict.fromkeys(places, 0)
        self.saved: dict[Place, tuple[int, dict[str, bytes]]] = {}
        self.draw, self.dies = draw, dies
        self.said: list[Output] = []

    def _made(self, place: Place) -> Stage1 | Stage2:
        return Stage1(place[1], self.context) if place[0] == MEASUREMENTS else Stage2(place[1], self.context)

    def measure(self, told: Measurement, key: str) -> None:
        message = encode_measurement(
            told.kpi, told.time, told.value, told.dimensions, id=told.id, source=told.source, revision=told.revision
        )
        self.logs[MEASUREMENTS, owner(key.encode(), self.counts[MEASUREMENTS])].append(Record(None, message))

    def tick(self, time: Micros) -> None:
        record = encode_control(Tick("replay", time // HOUR, format_time(time)))
        for partition in range(self.counts[MEASUREMENTS]):
            self.logs[MEASUREMENTS, partition].append(record)

    def work(self, *, all_of_it: bool = True) -> None:
        """Let stages take what they have not, until there is nothing left, or for a few turns."""
        turns = 0
        while all_of_it or turns < 2 * len(self.logs):
            behind = [place for place, log in self.logs.items() if self.at[place] < len(log)]
            if not behind:
                return
            place = self.draw.choice(behind)
            self._turn(place)
            turns += 1
            if self.draw.random() < self.dies:
                self._die(place)

    def _turn(self, place: Place) -> None:
        base, log = self.at[place], self.logs[place]
        taken = log[base : base + self.draw.randint(1, 40)]
        end = base + len(taken)
        batch = Batch(place[0], place[1], base, end - 1, end, encode_batch(taken, base))
        for output in self.stages[place].apply(batch):
            self._append(output)
        self.at[place] = end
        if self.draw.random() < 0.3:
            self.saved[place] = (end, {name: page for name, page in self.stages[place].all_pages().items() if page})

    def _append(self, output: Output) -> None:
        self.said.append(output)
        if output.topic in self.counts:
            count = self.counts[output.topic]
            number = owner(output.record.key or b"", count) if output.partition is None else output.partition
            self.logs[output.topic, number].append(output.record)

    def _die(self, place: Place) -> None:
        """What was done since the last checkpoint is done again, and said again."""
        self.stages[place].close()
        stage, (at, pages) = self._made(place), self.saved.get(place, (0, {}))
        if pages:
            stage.restore(pages)
        self.stages[place], self.at[place] = stage, at

    def close(self) -> None:
        for stage in self.stages.values():
            stage.close()
