"""Stage 2 of one partition: from the records of the findings topic to review triggers.

Holds no clock. Its pages are the encoded reviews, the joins, what waits for barriers, and the positions reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine import SEMANTICS_VERSION
from engine.correlate.barrier import Barriers
from engine.correlate.correlator import Correlator
from engine.correlate.formulas import Derived, Formulas
from engine.errors import StateError, WireError
from engine.model.finding import Finding
from engine.model.records import Activate, Answered, JoinRecord, Progress, ReviewCommand, Signal, Tick
from engine.model.time import Micros, parse_own_time
from engine.review.advance import Advance, Surroundings
from engine.review.governance import Governance
from engine.review.review import BARRIERS, Book
from engine.runtime.finding_places import checked, place_of
from engine.runtime.ports import Output, Position
from engine.runtime.stage2_outputs import measured, refused, told
from engine.runtime.stage2_pages import (
    BUCKETS,
    Reached,
    bucket_pages,
    buckets_of,
    count_of_waiting_pages,
    read_pages,
    waiting_pages,
    write_reached,
)
from engine.wire.encode import decode_finding_record
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.correlate.barrier import Barrier
    from engine.review.advance import Said
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.finding_places import Place
    from engine.runtime.stage2_pages import Restored
    from engine.wire.batch import Batch, LogRecord
    from engine.wire.encode import FindingRecord

    Told = Said | Derived


class Stage2:
    """The `Stage` of a findings partition. `counters` is for telemetry and no part of the state."""

    def __init__(self, partition: int, context: StageContext) -> None:
        self.partition = partition
        self.context = context
        self._hash = context.first_rule_set
        self._activation = -1
        self._pending: list[Activate] = []
        self._tick: int | None = None
        self._tick_time: Micros | None = None
        self._times: dict[int, Micros] = {}
        self._answered: dict[int, Place] = {}
        self._barriers = Barriers(context.measurement_partitions)
        self.correlator = Correlator(self._rules(self._hash), context.limits, self._owns)
        self.formulas = Formulas(self._rules(self._hash))
        self.book = Book(context.limits.reviews_open_max)
        self._reviews = Advance(self.book)
        self._governance = Governance(self._owns)
        self._counts: dict[str, int] = {}
        self._offset = 0
        self._ordinal = 0
        self._changed = True
        self._waiting_written: dict[str, bytes] = {}

    @property
    def rule_set_hash(self) -> str:
        """The rule set that is active after the last batch."""
        return self._hash

    @property
    def counters(self) -> dict[str | tuple[str, ...], int]:
        """What happened since this object was made, and how much there is."""
        found: dict[str | tuple[str, ...], int] = {
            "reviews_open": self.book.open_count,
            "records_waiting": len(self._barriers.waiting),
            "joins": len(self.correlator.joined),
        }
        found.update(self._counts)
        found.update(self.correlator.counts)
        late = self.correlator.counts.get("shares_late", 0) + self.formulas.counts.get("shares_late", 0)
        found.update(self.formulas.counts | {"shares_late": late})
        found.update(self._reviews.counts.items())
        return found

    @property
    def open_reviews(self) -> Mapping[str, int]:
        """Open reviews by rule, those of rules in shadow mode left out."""
        return self.book.open_by_rule

    def _rules(self, name: str) -> RuleSet:
        found = self.context.rule_sets.get(name)
        if found is None:
            raise StateError(f"rule set {name} is active here, but it is not among the stored ones: store it again")
        return found

    def _owns(self, key: str) -> bool:
        return owner(key.encode(), self.context.finding_partitions) == self.partition

    def apply(self, batch: Batch) -> list[Output]:
        """Take a batch, return what it says. A record that is none becomes a dead letter."""
        return self.take(records(batch))

    def take(self, log: Iterable[LogRecord]) -> list[Output]:
        """As `apply`, for what is no batch yet."""
        outputs: list[Output] = []
        for record in log:
            self._offset, self._ordinal = record.offset, 0
            self._changed = True
            try:
                decoded = checked(decode_finding_record(record.value))
                place = place_of(record, decoded, self._barriers.partitions, self.context.finding_partitions)
            except WireError as error:
                outputs.append(self._dead_letter(record, error))
                continue
            if place is not None and not self._is_new(decoded, place):
                self._count("repeats_dropped")
                continue
            outputs += map(self._output, self._take(decoded, place))
        return outputs

    def _is_new(self, record: FindingRecord, place: Place) -> bool:
        if not isinstance(record, Answered):
            return self._barriers.accept(place)
        if place <= self._answered.get(place[1], (-1, -1, -1, -1)):
            return False
        self._answered[place[1]] = place
        return True

    def _take(self, record: FindingRecord, place: Place | None) -> Iterable[Told]:
        match record:
            case Progress():
                return self._progress(record)
            case JoinRecord() | Signal() if place is not None:
                self._barriers.hold(place[1], record)
            case Finding() if place is not None:
                if record.scope == record.series and not record.storm:
                    return self._reviews.finding(record, place[1], self._around())
                self._barriers.hold(place[1], record)
            case ReviewCommand():
                return self._reviews.command(record, self._around())
            case Answered():
                return self._verdict(record)
            case Activate():
                self._request(record)
            case Tick():
                self._live_tick(record)
        return ()

    def _progress(self, progress: Progress) -> Iterator[Told]:
        """A stage 1 partition has come to a tick: time goes on for its reviews, and barriers may be complete."""
        now = parse_own_time(progress.time)
        if now > self._times.get(progress.partition, now - 1):
            self._times[progress.partition] = now
            yield from self._reviews.tick(progress.partition, now, self._around())
        for barrier in self._barriers.report(progress):
            yield from self._pass(barrier)

    def _pass(self, barrier: Barrier) -> Iterator[Told]:
        """A barrier: what was caused up to it under the present rules, then the activations from its tick on."""
        self._times[BARRIERS] = max(barrier.time, self._times.get(BARRIERS, barrier.time))
        around = self._around()
        self._count("barriers")
        worked_out, barrier = self.formulas.advance(barrier)
        yield from worked_out
        for said in self.correlator.advance(barrier):
            if isinstance(said, Finding):
                yield from self._reviews.finding(said, BARRIERS, around)
            else:
                yield from self._reviews.judgement(said, around)
        while self._pending and self._pending[0].from_tick <= barrier.number:
            wanted = self._pending.pop(0)
            if wanted.number > self._activation:
                self._activation, self._hash = wanted.number, wanted.hash
                self.formulas.activate(self._rules(wanted.hash))
                for judgement in self.correlator.activate(self._rules(wanted.hash), barrier.time):
                    yield from self._reviews.judgement(judgement, around)
        for judgement in self._governance.barrier(barrier.time, self._rules(self._hash), self.context.rule_sets):
            yield from self._reviews.judgement(judgement, around)
        yield from self._reviews.tick(BARRIERS, barrier.time, around)

    def _verdict(self, record: Answered) -> Iterator[Said]:
        around = self._around()
        for judgement in self._governance.answered(record, self._rules(self._hash)):
            yield from self._reviews.judgement(judgement, around)

    def _request(self, activate: Activate) -> None:
        newest = max([self._activation, *(each.number for each in self._pending)])
        if activate.number <= newest:
            self._count("activations_ignored")
            return
        self._pending.append(activate)

    def _live_tick(self, tick: Tick) -> None:
        if self._tick is None or tick.number > self._tick:
            self._tick, self._tick_time = tick.number, parse_own_time(tick.time)

    def _around(self) -> Surroundings:
        context = self.context
        live = self._tick_time if context.domain == "live" else None
        return Surroundings(context.rule_sets, context.limits, self._times, live, context.notify_within)

    def _position(self) -> tuple[tuple[str, bytes], ...]:
        position = Position(SEMANTICS_VERSION, self.partition, self._offset, self._ordinal)
        self._ordinal += 1
        return ((Position.HEADER, position.encode()),)

    def _output(self, said: Told) -> Output:
        return measured(said) if isinstance(said, Derived) else told(said, self._position())

    def _dead_letter(self, record: LogRecord, error: WireError) -> Output:
        self._count(f"dead_letters_{error.reason}")
        return refused(record, error, self.partition, self._position())

    def _count(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1

    def dirty_pages(self) -> dict[str, bytes]:
        """Pages changed since they were last asked for."""
        pages = bucket_pages("reviews", buckets_of(self.book.dirty), self.book.reviews)
        pages |= bucket_pages("joins", buckets_of(self.correlator.dirty), self.correlator.joined)
        pages |= bucket_pages("formulas", buckets_of(self.formulas.dirty), self.formulas.workings)
        if self._changed:
            waiting = waiting_pages(self._barriers.waiting)
            gone = dict.fromkeys(self._waiting_written.keys() - waiting.keys(), b"")
            pages |= {name: page for name, page in waiting.items() if self._waiting_written.get(name) != page} | gone
            self._waiting_written = waiting
            pages["reached"] = self._reached()
        self._clean()
        return pages

    def all_pages(self) -> dict[str, bytes]:
        """Every page."""
        everything = set(range(BUCKETS))
        pages = bucket_pages("reviews", everything, self.book.reviews)
        pages |= bucket_pages("joins", everything, self.correlator.joined)
        pages |= bucket_pages("formulas", everything, self.formulas.workings)
        pages = {name: page for name, page in pages.items() if page}
        self._waiting_written = waiting_pages(self._barriers.waiting)
        pages |= self._waiting_written
        pages["reached"] = self._reached()
        self._clean()
        return pages

    def _clean(self) -> None:
        self.book.dirty.clear()
        self.correlator.dirty.clear()
        self.formulas.dirty.clear()
        self._changed = False

    def _reached(self) -> bytes:
        return write_reached(
            Reached(
                rule_set=self._hash,
                activation=self._activation,
                closings=self.book.closings,
                tick=self._tick,
                tick_time=self._tick_time,
                times=dict(sorted(self._times.items())),
                pending=self._pending,
                barriers=msgspec.structs.replace(self._barriers, waiting=[]),
                waiting_pages=count_of_waiting_pages(self._barriers.waiting),
                answered=self._answered,
                kept=dict(sorted(self._governance.kept.items())),
            )
        )

    def restore(self, pages: Mapping[str, bytes]) -> None:
        """Become the state that was written; StateError when the pages are not all there or not readable."""
        found = read_pages(pages)
        partitions = found.reached.barriers.partitions
        if partitions != self.context.measurement_partitions:
            raise StateError(
                f"the checkpoint is of {partitions} measurement partitions, "
                f"there are {self.context.measurement_partitions}"
            )
        self._become(found)

    def _become(self, found: Restored) -> None:
        reached = found.reached
        self._hash, self._activation, self._pending = reached.rule_set, reached.activation, reached.pending
        self._tick, self._tick_time, self._times = reached.tick, reached.tick_time, reached.times
        self._answered, self._governance.kept = reached.answered, reached.kept
        self._barriers = reached.barriers
        self._barriers.waiting = found.waiting
        counts = self.correlator.counts
        self.correlator.close()
        self.correlator = Correlator(self._rules(self._hash), self.context.limits, self._owns)
        self.correlator.counts = counts
        self.correlator.restore(found.joined)
        self.formulas.restore(self._rules(self._hash), found.workings)
        self.book.restore(found.reviews, reached.closings)
        self._reviews.restored()
        self._waiting_written = waiting_pages(self._barriers.waiting)
        self._changed = False

    def close(self) -> None:
        """Retract the facts that this partition has in durable_rules."""
        self.correlator.close()
