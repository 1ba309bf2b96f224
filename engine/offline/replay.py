"""Measurements of the past through both stages within this process: no broker and no clock, the stages of a worker.

What a worker says of the same measurements and ticks, this says too, byte for byte.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from engine.model.records import Activate, Tick
from engine.model.time import HOUR, Micros, format_time
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output, Stage

_RECORDS_A_BATCH = 5_000


class Replayed(NamedTuple):
    """What came out: records of all topics but measurements and findings in `outputs`, and those of findings apart.

    `counts` are the totals of stage 1 (`Stage1.counts`).
    """

    outputs: list[Output]
    findings: list[Output]
    counts: dict[str | tuple[str, ...], int]


def tail_of(rule_set: RuleSet, every: Micros) -> Micros:
    """How long ticks must go on after the last measurement until its windows have closed and been judged."""
    waits = [rule.idle + rule.lateness for rule in rule_set.rules]
    return max(waits, default=0) + 2 * every


def with_ticks(timed: Iterable[tuple[Micros, Record]], every: Micros, tail: Micros) -> Iterator[Record | Tick]:
    """Measurements in order of time, and between them each tick after all that lies up to its time."""
    following = last = None
    for time, record in timed:
        last = time
        if following is None:
            following = -(-time // every)
        while following * every < time:
            yield _tick(following, every)
            following += 1
        yield record
    if following is not None and last is not None:
        for number in range(following, (last + tail) // every + 1):
            yield _tick(number, every)


def _tick(number: int, every: Micros) -> Tick:
    return Tick("replay", number, format_time(number * every))


def replay(
    rule_set: RuleSet, timed: Iterable[tuple[Micros, Record]], *, every: Micros = HOUR, partitions: int = 1
) -> Replayed:
    """Evaluate measurements, which come in order of event time, on so many partitions of both topics."""
    context = StageContext({rule_set.hash: rule_set}, rule_set.hash, partitions, partitions, future_max=every)
    stages = [Stage1(partition, context) for partition in range(partitions)]
    said: list[Output] = []
    for partition, run in _runs(with_ticks(timed, every, tail_of(rule_set, every)), rule_set.hash, partitions):
        said.extend(run.through(stages[partition]))
    findings = [output for output in said if output.topic == FINDINGS]
    outputs = [output for output in said if output.topic != FINDINGS]
    for partition in range(partitions):
        outputs.extend(_second(partition, context, findings))
    counts: dict[str | tuple[str, ...], int] = {}
    for stage in stages:
        for what, number in stage.counts.items():
            counts[what] = counts.get(what, 0) + number
    return Replayed(outputs, findings, counts)


class _Run(NamedTuple):
    """A stretch of one partition's log."""

    topic: str
    partition: int
    base: int
    records: list[Record]

    def through(self, stage: Stage) -> list[Output]:
        last = self.base + len(self.records) - 1
        data = encode_batch(self.records, self.base)
        return stage.apply(Batch(self.topic, self.partition, self.base, last, last + 1, data))


def _runs(sequence: Iterable[Record | Tick], rule_set: str, partitions: int) -> Iterator[tuple[int, _Run]]:
    """The input logs of all partitions, in stretches; each begins with the activation of the rule set."""
    first = encode_control(Activate(0, rule_set, 0))
    waiting = [[first] for _ in range(partitions)]
    bases = [0] * partitions
    for record in sequence:
        if isinstance(record, Tick):
            control = encode_control(record)
            for each in waiting:
                each.append(control)
        else:
            waiting[owner(record.key or b"", partitions)].append(record)
        for partition, held in enumerate(waiting):
            if len(held) >= _RECORDS_A_BATCH:
                yield partition, _Run(MEASUREMENTS, partition, bases[partition], held)
                bases[partition] += len(held)
                waiting[partition] = []
    for partition, held in enumerate(waiting):
        if held:
            yield partition, _Run(MEASUREMENTS, partition, bases[partition], held)


def _second(partition: int, context: StageContext, findings: list[Output]) -> Iterator[Output]:
    """Stage 2 of one partition over what all partitions of stage 1 sent to it."""
    stage = Stage2(partition, context)
    count = context.finding_partitions
    mine = iter(output.record for output in findings if _place(output, count) == partition)
    base = 0
    while held := list(islice(mine, _RECORDS_A_BATCH)):
        yield from _Run(FINDINGS, partition, base, held).through(stage)
        base += len(held)
    stage.close()


def _place(output: Output, partitions: int) -> int:
    return owner(output.record.key or b"", partitions) if output.partition is None else output.partition
