"""Measurements of the past through both stages within this process: no broker and no clock, the stages of a worker.

What a worker says of the same measurements and ticks, this says too, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.client.replay import Replay
from engine.model.measurement import Measurement
from engine.model.outputs import WorkedOut
from engine.model.records import Activate, Progress
from engine.model.time import HOUR, Micros, parse_own_time
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.offline.tail import tail_of
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.encode import decode_finding_record, encode_record
from engine.wire.partition import owner
from engine.wire.records import encode_batch
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from engine.review.review import Book
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output


class Replayed(NamedTuple):
    """What came out: the records of findings, and those of all other topics; with the totals of stage 1, and the rule
    sets by hash.
    """

    findings: list[Output]
    outputs: list[Output]
    counts: Counter[str | tuple[str, ...]]
    rule_sets: Mapping[str, RuleSet]


class Act(NamedTuple):
    """What somebody does when the clock stands at `at`: the record that it puts among the findings, made from the
    reviews as they are then; null where that is nothing.
    """

    at: Micros
    record: Callable[[Book], Record | None]


def replay(
    rule_set: RuleSet,
    timed: Iterable[tuple[Micros, Measurement]],
    *,
    every: Micros = HOUR,
    partitions: int = 1,
    records_a_batch: int = 5_000,
    begin: Micros | None = None,
    until: Micros | None = None,
    until_least: Micros | None = None,
    activated: Sequence[tuple[Micros, RuleSet]] = (),
    acts: Sequence[Act] = (),
) -> Replayed:
    """Evaluate measurements with the times at which they were sent, in that order, with a tick `every` so often.

    The clock goes from `begin` (the first measurement's time unless said) `until` (that the last windows have closed,
    and `until_least`). Both topics have so many `partitions`; stages take at most `records_a_batch` at once, which
    changes how fast it goes and nothing else. Other rule sets are `activated` from the first tick at or after their
    times on; `acts`, in order of time, go with one partition only. WireError when the measurements are out of order.
    """
    sets = {each.hash: each for each in (rule_set, *(later for _, later in activated))}
    run = partial(_run, sets, rule_set, every, partitions, records_a_batch, begin, activated)
    if not any(each.has_formulas for each in sets.values()):
        return run(timed, until, until_least, acts)
    timed = list(timed)
    if timed and until is None:
        newest = timed[-1][0]
        until = newest + _tail(newest, _longest_tail(sets, every), None, until_least)
    # Formulas are of what is measured only: what is worked out in a first run is all that there is to work out.
    worked_out = _worked_out(run(timed, until, until_least, ()))
    return run(sorted([*timed, *worked_out], key=itemgetter(0)), until, until_least, acts)


def _worked_out(replayed: Replayed) -> Iterator[tuple[Micros, Measurement]]:
    """What stage 2 sent to where measurements come from, each behind the tick at which it was worked out."""
    for output in replayed.outputs:
        if output.topic == MEASUREMENTS:
            told = dict(output.record.headers)[WorkedOut.HEADER]
            at = parse_own_time(msgspec.json.decode(told, type=WorkedOut).at)
            yield at + 1, msgspec.json.decode(output.record.value or b"", type=Measurement)


def _longest_tail(sets: Mapping[str, RuleSet], every: Micros) -> Micros:
    return max(tail_of(each, every) for each in sets.values())


def _run(
    sets: Mapping[str, RuleSet],
    rule_set: RuleSet,
    every: Micros,
    partitions: int,
    records_a_batch: int,
    begin: Micros | None,
    activated: Sequence[tuple[Micros, RuleSet]],
    timed: Iterable[tuple[Micros, Measurement]],
    until: Micros | None,
    until_least: Micros | None,
    acts: Sequence[Act],
) -> Replayed:
    """See `replay`."""
    context = StageContext(sets, rule_set.hash, partitions, partitions, future_max=every)
    activations = [Activate(0, rule_set.hash, 0)]
    activations += [Activate(n, each.hash, -(-at // every)) for n, (at, each) in enumerate(activated, 1)]
    first = _First(context, records_a_batch, activations)
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
    history.finish(_tail(newest, _longest_tail(sets, every), until, until_least))
    findings = [output for output in first.outputs if output.topic == FINDINGS]
    outputs = [output for output in first.outputs if output.topic != FINDINGS]
    for partition in range(partitions):
        held = [Record(b"", encode_record(each)) for each in activations[1:]]
        held += [each.record for each in findings if _place(each, partitions) == partition]
        outputs.extend(_second(partition, context, held, records_a_batch, acts))
    return Replayed(findings, outputs, first.counts, sets)


def _tail(newest: Micros | None, tail: Micros, until: Micros | None, until_least: Micros | None) -> Micros:
    """How long the clock goes on after the newest measurement."""
    if newest is None:
        return 0 if until is not None else tail
    if until is not None:
        return max(0, until - newest)
    return max(tail, 0 if until_least is None else until_least - newest)


class _First:
    """Stage 1 of all partitions, as where a history is sent to."""

    def __init__(self, context: StageContext, records_a_batch: int, activations: Sequence[Activate]) -> None:
        self._records_a_batch = records_a_batch
        self.outputs: list[Output] = []
        self._stages = [Stage1(partition, context) for partition in range(context.measurement_partitions)]
        self._waiting = [[encode_control(each) for each in activations] for _ in self._stages]
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


def _second(
    partition: int, context: StageContext, records: list[Record], records_a_batch: int, acts: Sequence[Act]
) -> Iterator[Output]:
    """Stage 2 of one partition over what all partitions of stage 1 sent to it, with what people do in between."""
    stage = Stage2(partition, context)
    base = 0
    for part in _with_acts(records, acts, stage.book):
        held = part
        while held:
            batch = _batch(FINDINGS, partition, base, held[:records_a_batch])
            base = batch.next_offset
            said = stage.apply(batch)
            yield from said
            answered = [each.record for each in said if each.topic == FINDINGS]  # they come back to the same log
            held = [*answered, *held[records_a_batch:]]
    stage.close()


def _with_acts(records: list[Record], acts: Sequence[Act], book: Book) -> Iterator[list[Record]]:
    """The records in parts, each to be taken before the next is asked for: an act comes behind all that was caused
    while the clock stood at its time, before the next tick.
    """
    begin = 0
    for act in acts:
        end = next((place for place in range(begin, len(records)) if _is_after(records[place], act.at)), len(records))
        yield records[begin:end]
        begin = end
        done = act.record(book)
        if done is not None:
            yield [done]
    yield records[begin:]


def _is_after(record: Record, time: Micros) -> bool:
    decoded = decode_finding_record(record.value)
    return isinstance(decoded, Progress) and parse_own_time(decoded.time) > time


def _place(output: Output, partitions: int) -> int:
    return owner(output.record.key or b"", partitions) if output.partition is None else output.partition


def _batch(topic: str, partition: int, base: int, records: list[Record]) -> Batch:
    last = base + len(records) - 1
    return Batch(topic, partition, base, last, last + 1, encode_batch(records, base))
