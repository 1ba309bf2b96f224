"""The ingest agents: foreign topics, mapped and copied into our own measurements, at least once.

Progress is the group's committed offset, moved when the copies are acknowledged. A crash copies again what was copied
last; a measurement's id comes from the message or from its position, so repeats count once. The engine writes nothing
to the foreign topic.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from faust.types import TP

from engine.model.records import Ingested
from engine.model.topics import MEASUREMENTS
from engine.rules.mapping import map_record
from engine.runtime.ports import Output
from engine.wire.control import encode_control
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engine.model.records import Tick
    from engine.rules.ruleset import RuleSet, Source
    from engine.runtime.ports import Log
    from engine.stream.consumer import BatchConsumer
    from engine.telemetry.metrics import Metrics
    from engine.wire.batch import Batch

APPEND_RECORDS_MAX = 2_000
"""Copies that are sent before waiting for their acknowledgement."""
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
    """Copies one partition of a foreign topic. `sources` gives what is taken from it, after a reload something else."""

    def __init__(
        self,
        tp: TP,
        log: Log,
        consumer: BatchConsumer,
        beginnings: Beginnings,
        sources: Callable[[], Sequence[Source]],
        metrics: Metrics,
    ) -> None:
        self._tp = tp
        self._log = log
        self._consumer = consumer
        self._beginnings = beginnings
        self._sources = sources
        self._metrics = metrics

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
        outputs: list[Output] = []
        for record in records(batch):
            for source in self._sources():
                copied = map_record(source, record, topic=batch.topic, partition=batch.partition)
                outputs += copied
                self._metrics.ingested.labels(source.id).inc(sum(output.topic == MEASUREMENTS for output in copied))
            if len(outputs) >= APPEND_RECORDS_MAX:
                await self._log.append(outputs)
                outputs = []
        if outputs:
            await self._log.append(outputs)
        await self._consumer.commit_offset(self._tp, batch.next_offset)

    async def tend(self) -> None:
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
        sources: Callable[[], Mapping[str, Sequence[Source]]],
        owned: Callable[[], Iterable[TP]],
        *,
        present: Callable[[], Tick],
        wait: Callable[[], float],
    ) -> None:
        self._log = log
        self._consumer = consumer
        self._sources = sources
        self._owned = owned
        self._present = present
        self._wait = wait

    async def run(self) -> None:
        """Write marks until cancelled."""
        async with asyncio.TaskGroup() as group:
            for topic in self._sources():
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
        marks = [encode_control(Ingested(source.id, tick.number, tick.time)) for source in self._sources()[topic]]
        partitions = range(await self._log.partitions(MEASUREMENTS))
        await self._log.append([Output(MEASUREMENTS, partition, mark) for partition in partitions for mark in marks])
