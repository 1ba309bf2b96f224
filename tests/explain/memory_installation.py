"""A whole installation in memory: what a history leaves in the log when real stages have worked on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from engine.client.replay import Replay
from engine.model.time import HOUR, Micros
from engine.model.topics import (
    CHECKPOINTS,
    CONTROL,
    FINDINGS,
    MEASUREMENTS,
    OWN_TOPICS,
    RULE_SETS,
    SHADOW_TRIGGERS,
    TRIGGERS,
    full_name,
)
from engine.runtime.acquire import acquire
from engine.runtime.context import StageContext
from engine.runtime.memory_log import MemoryLog
from engine.runtime.ports import Output
from engine.runtime.processor import Processor, stage_1_place, stage_2_place
from engine.runtime.rule_sets import request_activation, store_rule_set
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.model.measurement import Measurement
    from engine.rules.ruleset import RuleSet
    from engine.runtime.processor import Place

PARTITIONS = 2
AT_ONCE = 500
"""Records of a partition that are appended together."""


class MemoryInstallation:
    """Topics, a rule set that is activated, and both stages."""

    def __init__(self, rule_set: RuleSet) -> None:
        several = dict.fromkeys((MEASUREMENTS, FINDINGS, TRIGGERS, SHADOW_TRIGGERS), PARTITIONS)
        self.log = MemoryLog(dict.fromkeys(OWN_TOPICS, 1) | several | {CHECKPOINTS: 2 * PARTITIONS})
        self.rule_set = rule_set
        self.context = StageContext({rule_set.hash: rule_set}, rule_set.hash, PARTITIONS, PARTITIONS)
        self._second: list[Processor] = []

    def run(self, history: Iterable[tuple[Micros, Measurement]], tail: Micros) -> None:
        """Send it, with ticks every hour and for `tail` after it, and let the stages work."""
        asyncio.run(self._run(history, tail))

    async def _run(self, history: Iterable[tuple[Micros, Measurement]], tail: Micros) -> None:
        await store_rule_set(self.log, self.rule_set)
        await request_activation(self.log, self.rule_set.hash, 0)
        first = [await self._acquired(stage_1_place(each)) for each in range(PARTITIONS)]
        replay = Replay(_Sink(self.log), PARTITIONS, HOUR)
        for time, told in history:
            replay.measurement(told.kpi, told.dimensions, time, told.value, id=told.id, source=told.source)
        replay.finish(tail)
        self._second = [await self._acquired(stage_2_place(each, PARTITIONS)) for each in range(PARTITIONS)]
        rounds = 2 if self.rule_set.has_formulas else 1  # what is worked out goes back to the measurements, once
        for processor in (*first, *self._second) * rounds:
            await self._work(processor)

    def append_findings(self, records: Sequence[Record]) -> None:
        """Write among the findings, commands say, and let stage 2 take them."""
        self.log.append_now([Output(FINDINGS, None, record) for record in records])
        for processor in self._second:
            asyncio.run(self._work(processor))

    def close(self) -> None:
        """Let go of the facts."""
        for processor in self._second:
            processor.close()

    @property
    def triggers(self) -> list[bytes]:
        """What was written, and what rules in shadow mode would have said."""
        places = [(topic, partition) for topic in (TRIGGERS, SHADOW_TRIGGERS) for partition in range(PARTITIONS)]
        return [record.value or b"" for place in places for record in self.log.records(*place)]

    async def _acquired(self, place: Place) -> Processor:
        stage = Stage1 if place.topic == MEASUREMENTS else Stage2
        processor = Processor(self.log, place, lambda: stage(place.partition, self.context))
        await acquire(self.log, processor, None)
        return processor

    async def _work(self, processor: Processor) -> None:
        place = processor.place
        while (batch := await self.log.read(place.topic, place.partition, processor.position)) is not None:
            await processor.process(batch)
        await processor.checkpoint()


class _Sink:
    """See `client.replay.Sink`."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._waiting: list[list[Output]] = [[] for _ in range(PARTITIONS)]

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        waiting = self._waiting[partition]
        waiting.append(Output(MEASUREMENTS, partition, Record(key, value, tuple(headers))))
        if len(waiting) >= AT_ONCE:
            self._append(partition)

    def flush(self) -> None:
        for partition in range(PARTITIONS):
            self._append(partition)

    def _append(self, partition: int) -> None:
        self._log.append_now(self._waiting[partition])
        self._waiting[partition] = []


def copy_to(bootstrap: str, prefix: str, log: MemoryLog) -> list[str]:
    """Write what the log holds into the topics of an installation; the options that lead a command there."""
    producer = Producer({"bootstrap.servers": bootstrap})
    for topic in (RULE_SETS, CONTROL, MEASUREMENTS, FINDINGS, TRIGGERS, SHADOW_TRIGGERS):
        for partition in range(1 if topic in (RULE_SETS, CONTROL) else PARTITIONS):
            for record in log.records(topic, partition):
                name, headers = full_name(prefix, topic), list(record.headers)
                producer.produce(name, record.value, record.key, partition, headers=headers)
    producer.flush(10)
    return ["--brokers", bootstrap, "--prefix", prefix]
