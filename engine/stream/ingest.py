"""The ingest agents: foreign topics, mapped and copied into our own measurements, at least once.

Progress is the group's committed offset, moved when the copies are acknowledged. A crash copies again what was copied
last; a measurement's id comes from the message or from its position, so repeats count once. The engine writes nothing
to the foreign topic.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Protocol

from faust.types import TP

from engine.model.outputs import DeadLetter
from engine.model.records import Ingested
from engine.model.topics import DEAD_LETTERS, MEASUREMENTS
from engine.rules.mapping import Mapped, Position, map_message
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.control import encode_control
from engine.wire.encode import encode_record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from engine.model.limits import Limits
    from engine.model.records import Tick
    from engine.rules.resolved.source import Source
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log
    from engine.stream.consumer import BatchConsumer
    from engine.telemetry.metrics import Metrics
    from engine.wire.batch import Batch, LogRecord
    from engine.wire.columns import Rejected

APPEND_RECORDS_MAX = 2_000
"""Copies that are sent before waiting for their acknowledgement."""
BYTES_KEPT = 1_000
"""Of a message that is too long, in its dead letter."""
POLL_SECONDS = 0.2
"""How often a mark that waits for copies looks whether they are there."""


class Beginnings(Protocol):
    """Knows where reading a partition begins for the first time."""

    async def of(self, tp: TP) -> int:
        """The offset."""


def sources_by_topic(rule_set: RuleSet) -> dict[str, tuple[Source, ...]]:
    """The sources that each foreign topic feeds."""
    topics = sorted({source.topic for source in rule_set.sources})
    return {topic: tuple(source for source in rule_set.sources if source.topic == topic) for topic in topics}


class IngestWork:
    """Copies one partition of a foreign topic, as the rule set that `rules` gives maps it."""

    def __init__(
        self,
        tp: TP,
        log: Log,
        consumer: BatchConsumer,
        beginnings: Beginnings,
        rules: Callable[[], RuleSet],
        *,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        self._tp = tp
        self._log = log
        self._consumer = consumer
        self._beginnings = beginnings
        self._rules = rules
        self._limits = limits
        self._metrics = metrics
        self._kept_of = -1

    async def recover(self) -> int:
        """Go on where the group stands; the first time, pin where that is."""
        committed = await self._consumer.committed_offset(self._tp)
        if committed is not None:
            return committed
        offset = await self._beginnings.of(self._tp)
        await self._consumer.commit_offset(self._tp, offset)
        return offset

    async def process(self, batch: Batch) -> None:
        """Map, copy, wait for the acknowledgements, commit."""
        self._metrics.input_bytes.labels(batch.topic).inc(len(batch.data))
        rule_set = self._rules()
        sources = sources_by_topic(rule_set).get(batch.topic, ())
        outputs: list[Output] = []
        for record in records(batch):
            for source in sources:
                outputs += self._copies(source, rule_set, record)
            if len(outputs) >= APPEND_RECORDS_MAX:
                await self._log.append(outputs)
                outputs = []
        if outputs:
            await self._log.append(outputs)
        await self._consumer.commit_offset(self._tp, batch.next_offset)

    def _copies(self, source: Source, rule_set: RuleSet, record: LogRecord) -> Iterator[Output]:
        position = Position(self._tp.topic, self._tp.partition, record.offset)
        for made in map_message(source, rule_set, record.value, position, self._limits):
            if isinstance(made, Mapped):
                self._metrics.ingested.labels(source.id).inc()
                yield Output(MEASUREMENTS, None, Record(made.key, made.value))
            else:
                yield Output(DEAD_LETTERS, 0, Record(None, encode_record(self._dead_letter(made))))

    def _dead_letter(self, rejected: Rejected) -> DeadLetter:
        error = rejected.error
        return DeadLetter(
            reason=error.reason,
            detail=error.detail,
            path=error.path,
            topic=self._tp.topic,
            partition=self._tp.partition,
            offset=rejected.offset,
            index=error.index,
            bytes=base64.b64encode(self._bytes_of(rejected)).decode(),
        )

    def _bytes_of(self, rejected: Rejected) -> bytes:
        """What a letter keeps of the message: a long one stands in the letter of its first bad item only."""
        message = rejected.message
        first, self._kept_of = rejected.offset != self._kept_of, rejected.offset
        if len(message) <= BYTES_KEPT or (first and len(message) <= self._limits.message_bytes_max):
            return message
        return message[:BYTES_KEPT] if first else b""

    async def tend(self, alone: AbstractAsyncContextManager[object]) -> None:
        """Every batch is committed by itself."""

    async def settle(self) -> None:
        """See `tend`."""

    def close(self) -> None:
        """Nothing is held."""


class MarkWriter:
    """Says at each tick which sources are copied up to it: their series may age until there.

    Whoever owns partition 0 of a foreign topic speaks for all of it: it notes where the topic ends when the tick begins
    and waits until the group, whoever its members are, has committed that far. A source that lags gets its mark late;
    ticks that pass meanwhile get none of their own.
    """

    def __init__(
        self,
        log: Log,
        consumer: BatchConsumer,
        rules: Callable[[], RuleSet],
        topics: Iterable[str],
        owned: Callable[[], Iterable[TP]],
        *,
        present: Callable[[], Tick],
        wait: Callable[[], float],
    ) -> None:
        self._log = log
        self._consumer = consumer
        self._rules = rules
        self._topics = tuple(topics)
        self._owned = owned
        self._present = present
        self._wait = wait

    async def run(self) -> None:
        """Write marks until cancelled."""
        async with asyncio.TaskGroup() as group:
            for topic in self._topics:
                group.create_task(self._follow(topic))

    async def _follow(self, topic: str) -> None:
        while True:
            await asyncio.sleep(self._wait())
            if TP(topic, 0) in self._owned():
                tick = self._present()
                ends = await self._ends(topic)
                if await self._copied(topic, ends):
                    await self._mark(topic, tick)

    async def _ends(self, topic: str) -> dict[TP, int]:
        bounds = await self._consumer.bounds(await self._consumer.partitions_of(topic))
        return {tp: end for tp, (start, end) in bounds.items() if end > start}

    async def _copied(self, topic: str, ends: Mapping[TP, int]) -> bool:
        """Wait until the group has committed up to `ends`. False when the topic's voice went to another worker."""
        for tp, end in ends.items():
            while (await self._consumer.committed_offset(tp) or 0) < end:
                await asyncio.sleep(POLL_SECONDS)
                if TP(topic, 0) not in self._owned():
                    return False
        return True

    async def _mark(self, topic: str, tick: Tick) -> None:
        sources = sources_by_topic(self._rules()).get(topic, ())
        marks = [encode_control(Ingested(source.id, tick.number, tick.time)) for source in sources]
        partitions = range(await self._log.partitions(MEASUREMENTS))
        await self._log.append([Output(MEASUREMENTS, partition, mark) for partition in partitions for mark in marks])
