"""Measurements of the past through both stages within this process: no broker and no clock, the stages of a worker.

What a worker says of the same measurements and ticks, this says too, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from engine.client.replay import Replay
from engine.model.records import Activate
from engine.model.time import HOUR, Micros
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.offline.tail import tail_of
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.partition import owner
from engine.wire.records import encode_batch
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.model.measurement import Measurement
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output, Stage


class Replayed(NamedTuple):
    """What came out: the records of findings, and those of all other topics; with the totals of stage 1."""

    findings: list[Output]
    outputs: list[Output]
    counts: Counter[str | tuple[str, ...]]


def replay(
    rule_set: RuleSet,
    timed: Iterable[tuple[Micros, Measurement]],
    *,
    every: Micros = HOUR,
    partitions: int = 1,
    records_a_batch: int = 5_000,
    begin: Micros | None = None,
    until: Micros | None = None,
) -> Replayed:
    """Evaluate measurements with the times at which they were sent, in that order, with a tick `every` so often.

    The clock goes from `begin` (the first measurement's time unless said) `until` (that the last windows have closed).
    Both topics have so many `partitions`; stages take at most `records_a_batch` at once, which changes how fast it
    goes and nothing else. WireError when the measurements are out of order.
    """
    context = StageContext({rule_set.hash: rule_set}, rule_set.hash, partitions, partitions, future_max=every)
    first = _First(context, records_a_batch)
    history = Replay(first, partitions, every)
    newest = begin
    if begin is not None:
        history.begin(begin)
    for sent, told in timed:
        newest = sent
        history.measurement(
            told.kpi,
            told.dimensions,
            parse_time(told.time),
            told.value,
            id=told.id,
            source=told.source,
            revision=told.revision,
            sent=sent,
        )
    history.finish(tail_of(rule_set, every) if until is None else max(0, until - (newest or until)))
    findings = [output for output in first.outputs if output.topic == FINDINGS]
    outputs = [output for output in first.outputs if output.topic != FINDINGS]
    for partition in range(partitions):
        outputs.extend(_second(partition, context, findings, records_a_batch))
    return Replayed(findings, outputs, first.counts)


class _First:
    """Stage 1 of all partitions, as where a history is sent to."""

    def __init__(self, context: StageContext, records_a_batch: int) -> None:
        self._records_a_batch = records_a_batch
        self.outputs: list[Output] = []
        self._stages = [Stage1(partition, context) for partition in range(context.measurement_partitions)]
        activation = encode_control(Activate(0, context.first_rule_set, 0))
        self._waiting = [[activation] for _ in self._stages]
        self._bases = [0 for _ in self._stages]

    @property
    def counts(self) -> Counter[str | tuple[str, ...]]:
        """What `Stage1.counts` say, over all partitions."""
        total = Counter[str | tuple[str, ...]]()
        for stage in self._stages:
            total.update(stage.counts)
        return total

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """See `client.replay.Sink`."""
        waiting = self._waiting[partition]
        waiting.append(Record(key, value, tuple(headers)))
        if len(waiting) >= self._records_a_batch:
            self._take(partition)

    def flush(self) -> None:
        """See `client.replay.Sink`."""
        for partition in range(len(self._stages)):
            self._take(partition)

    def _take(self, partition: int) -> None:
        waiting = self._waiting[partition]
        batch = _batch(MEASUREMENTS, partition, self._bases[partition], waiting)
        self.outputs.extend(self._stages[partition].apply(batch))
        self._bases[partition] = batch.next_offset
        self._waiting[partition] = []


def _second(partition: int, context: StageContext, findings: list[Output], records_a_batch: int) -> Iterator[Output]:
    """Stage 2 of one partition over what all partitions of stage 1 sent to it."""
    stage: Stage = Stage2(partition, context)
    count = context.finding_partitions
    mine = iter([output.record for output in findings if _place(output, count) == partition])
    base = 0
    while held := list(islice(mine, records_a_batch)):
        batch = _batch(FINDINGS, partition, base, held)
        yield from stage.apply(batch)
        base = batch.next_offset
    stage.close()


def _place(output: Output, partitions: int) -> int:
    return owner(output.record.key or b"", partitions) if output.partition is None else output.partition


def _batch(topic: str, partition: int, base: int, records: list[Record]) -> Batch:
    last = base + len(records) - 1
    return Batch(topic, partition, base, last, last + 1, encode_batch(records, base))
