"""Stage 2 of one partition: from the records of the findings topic to review triggers.

Holds no clock. Its pages are the encoded reviews, the joins, what waits for barriers, and the positions reached.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
import xxhash

from engine import SEMANTICS_VERSION
from engine.correlate.barrier import Barriers, Waiting
from engine.correlate.correlator import Correlator, Joined
from engine.errors import StateError, WireError
from engine.model.finding import Finding
from engine.model.outputs import DeadLetter
from engine.model.records import Activate, JoinRecord, Progress, ReviewCommand, Signal, Tick
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.topics import DEAD_LETTERS, FINDINGS, SHADOW_TRIGGERS, TRIGGERS
from engine.review.advance import Advance, Surroundings
from engine.review.review import Book, Review
from engine.runtime.ports import Output, Position
from engine.wire.batch import Record
from engine.wire.encode import decode_finding_record, encode_record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.correlate.barrier import Barrier
    from engine.review.advance import Telling
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.wire.batch import Batch, LogRecord
    from engine.wire.encode import FindingRecord

BUCKETS = 256
"""Pages of reviews and of joins: a (rule, scope) always stands in the same one."""
_WAITING_PER_PAGE = 500
_BYTES_KEPT = 1_000

Key = tuple[str, str]


class _Reached(msgspec.Struct):
    """The first page. `tick` and `tick_time`: the last live tick of this partition. `pending`: activations to come."""

    rule_set: str
    activation: int
    closings: int
    tick: int | None
    tick_time: Micros | None
    pending: list[Activate]
    barriers: Barriers
    waiting_pages: int


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
        self._barriers = Barriers(context.measurement_partitions)
        self.correlator = Correlator(self._rules(self._hash), context.limits)
        self.book = Book(context.limits.reviews_open_max)
        self._reviews = Advance(self.book)
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

    def apply(self, batch: Batch) -> list[Output]:
        """Take a batch, return what it says. A record that is none becomes a dead letter."""
        outputs: list[Output] = []
        for record in records(batch):
            self._offset, self._ordinal = record.offset, 0
            self._changed = True
            try:
                decoded = _checked(decode_finding_record(record.value))
                place = _place_of(record, decoded, self._barriers.partitions)
            except WireError as error:
                outputs.append(self._dead_letter(record, error))
                continue
            if place is not None and not self._barriers.accept(place):
                self._count("repeats_dropped")
                continue
            outputs += map(self._trigger, self._take(decoded, place))
        return outputs

    def _take(self, record: FindingRecord, place: tuple[int, int, int, int] | None) -> Iterable[Telling]:
        match record:
            case Progress():
                return [telling for barrier in self._barriers.report(record) for telling in self._pass(barrier)]
            case JoinRecord() | Signal():
                self._hold(place, record)
            case Finding():
                if record.scope == record.series:
                    return self._reviews.finding(record, self._around())
                self._hold(place, record)
            case ReviewCommand():
                return self._reviews.command(record, self._around())
            case Activate():
                self._request(record)
            case Tick():
                self._live_tick(record)
        return ()

    def _hold(self, place: tuple[int, int, int, int] | None, record: JoinRecord | Signal | Finding) -> None:
        assert place is not None  # noqa: S101 (an invariant: `_place_of` gives one for all of these)
        self._barriers.hold(place[1], record)

    def _pass(self, barrier: Barrier) -> Iterable[Telling]:
        """A barrier: what was caused up to it under the present rules, then the activations from its tick on."""
        around = self._around(barrier.time)
        judgements = self.correlator.advance(barrier)
        self._count("barriers")
        for judgement in judgements:
            yield from self._reviews.judgement(judgement, around)
        while self._pending and self._pending[0].from_tick <= barrier.number:
            wanted = self._pending.pop(0)
            if wanted.number > self._activation:
                self._activation, self._hash = wanted.number, wanted.hash
                for judgement in self.correlator.activate(self._rules(wanted.hash)):
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

    def _around(self, barrier_time: Micros | None = None) -> Surroundings:
        context = self.context
        old_before = None
        if context.domain == "live" and context.notify_within is not None and self._tick_time is not None:
            old_before = self._tick_time - context.notify_within
        now = None if barrier_time is None else format_time(barrier_time)
        return Surroundings(context.rule_sets, context.limits, now, old_before)

    def _position(self) -> tuple[tuple[str, bytes], ...]:
        position = Position(SEMANTICS_VERSION, self.partition, self._offset, self._ordinal)
        self._ordinal += 1
        return ((Position.HEADER, position.encode()),)

    def _trigger(self, telling: Telling) -> Output:
        key = telling.trigger.data.review.encode()
        topic = SHADOW_TRIGGERS if telling.shadow else TRIGGERS
        return Output(topic, None, Record(key, encode_record(telling.trigger), self._position()))

    def _dead_letter(self, record: LogRecord, error: WireError) -> Output:
        self._count(f"dead_letters_{error.reason}")
        letter = DeadLetter(
            reason=error.reason,
            detail=error.detail,
            path=error.path,
            topic=FINDINGS,
            partition=self.partition,
            offset=record.offset,
            index=None,
            bytes=b64encode((record.value or b"")[:_BYTES_KEPT]).decode(),
        )
        return Output(DEAD_LETTERS, 0, Record(None, encode_record(letter), self._position()))

    def _count(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1

    def dirty_pages(self) -> dict[str, bytes]:
        """Pages changed since they were last asked for."""
        pages: dict[str, bytes] = {}
        reviews, joined = self._by_bucket(self.book.dirty), self._by_bucket(self.correlator.dirty)
        pages |= self._review_pages(reviews) | self._join_pages(joined)
        if self._changed:
            waiting = self._waiting_pages()
            gone = dict.fromkeys(self._waiting_written.keys() - waiting.keys(), b"")
            pages |= {name: page for name, page in waiting.items() if self._waiting_written.get(name) != page} | gone
            self._waiting_written = waiting
            pages["reached"] = self._reached()
        self._clean()
        return pages

    def all_pages(self) -> dict[str, bytes]:
        """Every page."""
        everything = set(range(BUCKETS))
        self._waiting_written = self._waiting_pages()
        pages = self._review_pages(everything) | self._join_pages(everything)
        pages = {name: page for name, page in pages.items() if page}
        pages |= self._waiting_written
        pages["reached"] = self._reached()
        self._clean()
        return pages

    def _clean(self) -> None:
        self.book.dirty.clear()
        self.correlator.dirty.clear()
        self._changed = False

    def _by_bucket(self, keys: Iterable[Key]) -> set[int]:
        return {_bucket(key) for key in keys}

    def _review_pages(self, buckets: set[int]) -> dict[str, bytes]:
        return _pages("reviews", buckets, self.book.reviews)

    def _join_pages(self, buckets: set[int]) -> dict[str, bytes]:
        return _pages("joins", buckets, self.correlator.joined)

    def _waiting_pages(self) -> dict[str, bytes]:
        waiting = self._barriers.waiting
        return {
            f"waiting/{place // _WAITING_PER_PAGE:06d}": _encoder.encode(waiting[place : place + _WAITING_PER_PAGE])
            for place in range(0, len(waiting), _WAITING_PER_PAGE)
        }

    def _reached(self) -> bytes:
        barriers = msgspec.structs.replace(self._barriers, waiting=[])
        reached = _Reached(
            rule_set=self._hash,
            activation=self._activation,
            closings=self.book.closings,
            tick=self._tick,
            tick_time=self._tick_time,
            pending=self._pending,
            barriers=barriers,
            waiting_pages=-(-len(self._barriers.waiting) // _WAITING_PER_PAGE),
        )
        return _encoder.encode(reached)

    def restore(self, pages: Mapping[str, bytes]) -> None:
        """Become the state that was written; StateError when the pages are not all there or not readable."""
        try:
            reached = _reached_decoder.decode(pages["reached"])
            waiting = [
                each
                for number in range(reached.waiting_pages)
                for each in _waiting_decoder.decode(pages[f"waiting/{number:06d}"])
            ]
            reviews = {key: value for page in _named(pages, "reviews/") for key, value in _review_decoder.decode(page)}
            joined = {key: value for page in _named(pages, "joins/") for key, value in _joined_decoder.decode(page)}
        except KeyError as error:
            raise StateError(f"expected the page {error} of a stage 2 checkpoint, found none") from error
        except msgspec.MsgspecError as error:
            raise StateError(f"a page of a stage 2 checkpoint cannot be read: {error}") from error
        if reached.barriers.partitions != self.context.measurement_partitions:
            raise StateError(
                f"the checkpoint is of {reached.barriers.partitions} measurement partitions, "
                f"there are {self.context.measurement_partitions}"
            )
        self._become(reached, waiting, reviews, joined)

    def _become(
        self, reached: _Reached, waiting: list[Waiting], reviews: dict[Key, list[Review]], joined: dict[Key, Joined]
    ) -> None:
        self._hash, self._activation, self._pending = reached.rule_set, reached.activation, reached.pending
        self._tick, self._tick_time = reached.tick, reached.tick_time
        self._barriers = reached.barriers
        self._barriers.waiting = waiting
        counts = self.correlator.counts
        self.correlator.close()
        self.correlator = Correlator(self._rules(self._hash), self.context.limits)
        self.correlator.counts = counts
        self.correlator.restore(joined)
        self.book.restore(reviews, reached.closings)
        self._waiting_written = self._waiting_pages()
        self._changed = False

    def close(self) -> None:
        """Retract the facts that this partition has in durable_rules."""
        self.correlator.close()


_encoder = msgspec.msgpack.Encoder()
_reached_decoder = msgspec.msgpack.Decoder(_Reached)
_waiting_decoder = msgspec.msgpack.Decoder(list[Waiting])
_review_decoder = msgspec.msgpack.Decoder(list[tuple[Key, list[Review]]])
_joined_decoder = msgspec.msgpack.Decoder(list[tuple[Key, Joined]])


def _bucket(key: Key) -> int:
    return int(xxhash.xxh64_intdigest("\0".join(key).encode()) % BUCKETS)


def _pages(name: str, buckets: set[int], entries: Mapping[Key, object]) -> dict[str, bytes]:
    """The pages of these buckets; one without entries is empty, so that it is deleted."""
    found: dict[int, list[tuple[Key, object]]] = {bucket: [] for bucket in buckets}
    if buckets:
        for key in sorted(entries):
            bucket = _bucket(key)
            if bucket in found:
                found[bucket].append((key, entries[key]))
    return {f"{name}/{bucket:03d}": _encoder.encode(each) if each else b"" for bucket, each in sorted(found.items())}


def _named(pages: Mapping[str, bytes], prefix: str) -> list[bytes]:
    return [pages[name] for name in sorted(pages) if name.startswith(prefix) and pages[name]]


def _place_of(record: LogRecord, decoded: FindingRecord, partitions: int) -> tuple[int, int, int, int] | None:
    """Where in stage 1 a record comes from, one of its `partitions`; None for what does not come from there."""
    if not isinstance(decoded, Finding | JoinRecord | Signal | Progress):
        return None
    for name, value in record.headers:
        if name == Position.HEADER:
            try:
                semantics, partition, offset, ordinal = Position.decode(value)
            except ValueError as error:
                raise WireError(
                    "bad_position", f"expected `1:0:4711:2` in the header {name}, found {value!r}"
                ) from error
            reporter = decoded.partition if isinstance(decoded, Progress) else partition
            if partition not in range(partitions) or reporter != partition:
                raise WireError(
                    "bad_position",
                    f"expected a partition of measurements below {partitions}, found {partition}, {reporter}",
                )
            return semantics, partition, offset, ordinal
    raise WireError("bad_position", f"expected the header {Position.HEADER} on what stage 1 writes, found none")


def _checked(record: FindingRecord) -> FindingRecord:
    """WireError for times that this engine did not write: nothing behind this line meets one."""
    times: tuple[str | None, ...]
    match record:
        case Finding():
            times = (record.event_time, record.opened_event_time, record.tick_time)
        case JoinRecord():
            times = (record.window.start, record.window.end, record.parts.last_time)
        case Signal():
            times = (record.event_time,)
        case Progress() | Tick() | ReviewCommand():
            times = (record.time,)
        case _:
            times = ()
    try:
        for time in times:
            if time is not None:
                parse_own_time(time)
    except (ValueError, TypeError) as error:
        raise WireError("bad_time", f"expected times as this engine writes them, found {time!r}") from error
    return record
