"""Stage 1 as a processor sees it: batches of the measurements topic in, records for five topics out."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec

from engine import SEMANTICS_VERSION
from engine.decode.scanner import ScanningDecoder
from engine.evaluate.emissions import Emission, Forward, Refusal, TickPassed
from engine.evaluate.stage import Surroundings, evaluate
from engine.kernels.layout import ACCEPTED, DUPLICATES, IDS_LIMIT, LATE, LATE_RAW, POINTS_LIMIT, REVISED, UNSET
from engine.model import topics
from engine.model.finding import Finding
from engine.model.outputs import DeadLetter, KpiState
from engine.model.records import JoinRecord, Progress, Signal
from engine.model.time import format_time
from engine.rules.compiler import compile_plan
from engine.runtime.ports import Output, Position
from engine.state.pages import changed_pages, every_page, read_meta, restored
from engine.state.partition import PartitionState
from engine.wire.batch import Batch, Record
from engine.wire.reference import ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from engine.model.time import Micros
    from engine.runtime.context import StageContext
    from engine.wire.columns import Chunk, Decoder

_BYTES_KEPT = 1_000
"""Of a message that is too long; and up to here every letter of a message's items carries all of it."""

_COUNTED: tuple[tuple[str | tuple[str, ...], int], ...] = (
    ("accepted", ACCEPTED),
    ("duplicate", DUPLICATES),
    ("late", LATE),
    ("late_raw", LATE_RAW),
    ("restated", REVISED),
    (("limit", "ids_per_series_max"), IDS_LIMIT),
    (("limit", "raw_points_max"), POINTS_LIMIT),
)
_encode = msgspec.json.Encoder(order="deterministic").encode


def _no_message(_offset: int) -> bytes:
    return b""


class Stage1:
    """One partition of the measurements topic. Implements `runtime.ports.Stage`.

    `counts` are totals since this object was made, for telemetry: measurements by fate, dead letters by reason,
    findings by (rule, transition, status), and how often something was at its limit.
    """

    def __init__(self, partition: int, context: StageContext) -> None:
        self._context = context
        self._around = Surroundings(context.rule_sets, context.future_max)
        make = ScanningDecoder if context.decoder == "scanner" else ReferenceDecoder
        self._decoder: Decoder = make(context.limits)
        self._message_at: Callable[[int], bytes] = self._decoder.message_at
        plan = compile_plan(context.rule_sets[context.first_rule_set])
        self.state = PartitionState(plan, partition, context.measurement_partitions, context.limits)
        self.counts: dict[str | tuple[str, ...], int] = {}
        self._kept_of = -1

    @property
    def rule_set_hash(self) -> str:
        """The set that is active after the last batch."""
        return self.state.plan.rule_set.hash

    @property
    def newest(self) -> Micros | None:
        """The newest event time that any series has seen; None before the first."""
        newest = self.state.tables.series["newest"][: len(self.state.series)].max(initial=UNSET)
        return None if newest == UNSET else int(newest)

    @property
    def tick_time(self) -> Micros | None:
        """The time of the last tick; None before the first."""
        return self.state.tick_time

    def apply(self, batch: Batch) -> list[Output]:
        """Take a batch; what it says, in order of cause."""
        self._message_at = self._decoder.message_at
        outputs: list[Output] = []
        for chunk in self.chunks(batch):
            outputs.extend(self._take(chunk))
        self._count_fates()
        return outputs

    def chunks(self, batch: Batch) -> Iterator[Chunk]:
        """A batch as `take` takes it: each chunk is to be taken before the next is asked for."""
        before = self.state
        for chunk in self._decoder.decode(batch, self.resolve):
            yield chunk
            if self.state is not before:
                self._decoder.forget()
                before = self.state

    def take(self, chunk: Chunk) -> list[Output]:
        """As `apply`, for what was decoded already: `resolve` gave the rows. Letters hold no bytes."""
        self._message_at = _no_message
        outputs = list(self._take(chunk))
        self._count_fates()
        return outputs

    def _take(self, chunk: Chunk) -> Iterable[Output]:
        self.state, said = evaluate(self.state, chunk, self._around)
        return self._outputs(said)

    def resolve(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        """The `wire.columns.Resolver` of this partition; rows are void when an activation has taken effect."""
        return self.state.resolve(kpi, dimensions, source)

    def dirty_pages(self) -> dict[str, bytes]:
        """Pages changed since they were last asked for."""
        return changed_pages(self.state)

    def all_pages(self) -> dict[str, bytes]:
        """Every page."""
        return every_page(self.state)

    def restore(self, pages: Mapping[str, bytes]) -> None:
        """Become the state that was written; KeyError when its rule set is not known."""
        plan = compile_plan(self._context.rule_sets[read_meta(pages).rule_set])
        context = self._context
        self.state = restored(plan, self.state.partition, context.measurement_partitions, context.limits, pages)
        self._decoder.forget()

    def close(self) -> None:
        """Nothing is held outside."""

    def _count_fates(self) -> None:
        counters = self.state.tables.counters
        for what, place in _COUNTED:
            self._count(what, int(counters[place]))
            counters[place] = 0

    def _count(self, what: str | tuple[str, ...], number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def _outputs(self, said: Iterable[Emission]) -> Iterable[Output]:
        offset, ordinal = -1, 0
        for emission in said:
            ordinal = ordinal + 1 if emission.offset == offset else 0
            offset = emission.offset
            position = Position(SEMANTICS_VERSION, self.state.partition, offset, ordinal)
            yield from self._output(emission, position)

    def _output(self, emission: Emission, position: Position) -> Iterable[Output]:
        said = emission.said
        headers = ((Position.HEADER, position.encode()),)
        if isinstance(said, TickPassed):
            yield from self._progress(said, headers)
        elif isinstance(said, Finding):
            self._count(("finding", said.rule, said.transition, said.status))
            key = (said.storm or said.scope).encode()
            yield Output(topics.FINDINGS, None, Record(key, _encode(said), headers))
        elif isinstance(said, JoinRecord | Signal):
            key = f"{said.correlation}|{said.scope}".encode()
            yield Output(topics.FINDINGS, None, Record(key, _encode(said), headers))
        elif isinstance(said, KpiState):
            yield Output(topics.KPI_STATE, None, Record(said.series.encode(), _encode(said)))
        elif isinstance(said, Forward):
            self._count("forwarded")
            yield Output(topics.MEASUREMENTS, None, Record(said.key, said.value))
        else:
            yield self._dead_letter(emission.offset, said)

    def _progress(self, tick: TickPassed, headers: tuple[tuple[str, bytes], ...]) -> Iterable[Output]:
        value = _encode(Progress(partition=self.state.partition, tick=tick.number, time=format_time(tick.time)))
        for partition in range(self._context.finding_partitions):
            yield Output(topics.FINDINGS, partition, Record(None, value, headers))

    def _dead_letter(self, offset: int, refusal: Refusal) -> Output:
        error = refusal.error
        self._count(("dead_letter", error.reason))
        kept = self._bytes_of(offset)
        letter = DeadLetter(
            reason=error.reason,
            detail=error.detail,
            path=error.path,
            topic=topics.MEASUREMENTS,
            partition=self.state.partition,
            offset=offset,
            index=error.index,
            bytes=base64.b64encode(kept).decode(),
        )
        return Output(topics.DEAD_LETTERS, 0, Record(None, _encode(letter)))

    def _bytes_of(self, offset: int) -> bytes:
        """What a letter keeps of the message. A long one stands in the letter of its first bad item only: with half a
        million of them it would not fit anywhere.
        """
        message = self._message_at(offset)
        first, self._kept_of = offset != self._kept_of, offset
        if len(message) <= _BYTES_KEPT or (first and len(message) <= self._context.limits.message_bytes_max):
            return message
        return message[:_BYTES_KEPT] if first else b""
