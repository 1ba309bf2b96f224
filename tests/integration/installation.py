"""An installation for tests: topics under a prefix of its own, workers as processes, and what its topics hold."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from engine.brokers.sender import Sender
from engine.brokers.topics import TopicAdmin, plan
from engine.cli.demo_follow import Follower
from engine.cli.demo_worker import WorkerProcess
from engine.client.replay import Replay
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS, full_name
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.topics import Topic
    from engine.model.measurement import Measurement
    from engine.model.time import Micros
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Output, Stage

AT_ONCE = 5_000


class Placed(NamedTuple):
    """A record and where it stands."""

    partition: int
    offset: int
    record: Record


class Installation:
    """Own topics, which are there, with `partitions` each at `bootstrap`; workers read `rules`."""

    def __init__(
        self, bootstrap: str, prefix: str, topics: Sequence[Topic], rules: Path, settings: dict[str, str]
    ) -> None:
        self.bootstrap, self.prefix, self.topics, self.rules = bootstrap, prefix, topics, rules
        self.partitions = topics[0].partitions
        self.settings = {
            "measurement_partitions": str(self.partitions),
            "checkpoint_interval_min": "500ms",
            "checkpoint_interval_max": "2s",
            **settings,
        }

    @classmethod
    def on_kafka(cls, bootstrap: str, prefix: str, partitions: int, rules: Path, **settings: str) -> Installation:
        """Make the topics at a real broker."""
        topics = plan(prefix, partitions)
        TopicAdmin(bootstrap).create(topics)
        return cls(bootstrap, prefix, topics, rules, settings)

    @classmethod
    def on_embedded(
        cls, broker: EmbeddedBroker, prefix: str, partitions: int, rules: Path, **settings: str
    ) -> Installation:
        """Make the topics at an embedded broker."""
        topics = plan(prefix, partitions)
        broker.create_topics({topic.name: topic.partitions for topic in topics})
        return cls(broker.bootstrap, prefix, topics, rules, settings)

    def worker(self, domain: str = "replay") -> WorkerProcess:
        """Start a worker; use it as a context manager."""
        return WorkerProcess(
            [
                *("--brokers", self.bootstrap, "--prefix", self.prefix, "--rules", str(self.rules.resolve())),
                *("--domain", domain, "--start-at", "earliest"),
                *(part for name, value in self.settings.items() for part in ("--set", f"{name}={value}")),
            ]
        )

    def sender(self) -> Sender:
        """A sender of measurements."""
        return Sender(self.bootstrap, full_name(self.prefix, MEASUREMENTS), self.prefix)

    def replay(self, history: Iterable[tuple[Micros, Measurement]], every: Micros, extra: Micros) -> int:
        """Send a history with its ticks; how many measurements it had."""
        with self.sender() as sink:
            writer = Replay(sink, self.partitions, every)
            for at, told in history:
                writer.measurement(told.kpi, told.dimensions, at, told.value, id=told.id, source=told.source)
            return writer.finish(extra).measurements

    def follower(self) -> Follower:
        """Sees how far the workers have come; use it as a context manager."""
        return Follower(self.bootstrap, self.prefix, self.prefix, self.topics)

    def wait_until_settled(self, worker: WorkerProcess, seconds: float) -> None:
        """Until everything is committed to the end of the logs. In `live` it never is for long: ticks go on."""
        deadline = time.monotonic() + seconds
        with self.follower() as follower:
            while not follower.settled:
                worker.require_alive()
                assert time.monotonic() < deadline, f"left: {follower.left}\n{worker.tail()}"
                time.sleep(0.2)

    def wait_for_commits(self, worker: WorkerProcess, beyond: int | None = None) -> None:
        """Until more measurements are committed than now, or than `beyond`."""
        deadline = time.monotonic() + 60
        with self.follower() as follower:
            before = follower.committed if beyond is None else beyond
            while follower.committed <= before:
                worker.require_alive()
                assert time.monotonic() < deadline, worker.tail()
                time.sleep(0.1)

    def records(self, topic: str) -> list[Placed]:
        """Everything in an own topic, read by a plain consumer, partition by partition."""
        name = full_name(self.prefix, topic)
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "reader", "enable.auto.commit": False})
        try:
            count = len(consumer.list_topics(name, timeout=10).topics[name].partitions)
            return [placed for partition in range(count) for placed in _read(consumer, name, partition)]
        finally:
            consumer.close()

    def values(self, topic: str) -> list[bytes]:
        """The values in an own topic."""
        return [placed.record.value or b"" for placed in self.records(topic)]


def _read(consumer: Consumer, name: str, partition: int) -> Iterator[Placed]:
    low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)
    consumer.assign([TopicPartition(name, partition, low)])
    position = low
    while position < high:
        for message in consumer.consume(10_000, timeout=1.0):
            assert message.error() is None, message.error()
            position = message.offset() + 1
            headers = tuple(message.headers() or ())
            yield Placed(partition, message.offset(), Record(message.key(), message.value(), headers))


Distinct = set[tuple[bytes, bytes]]
"""Keys and values: repeats of an equal record, as they follow a crash, are one."""


def distinct(records: Iterable[Record]) -> Distinct:
    """The records, repeats once."""
    return {(record.key or b"", record.value or b"") for record in records}


def findings_among(records: Iterable[Record]) -> Distinct:
    """The distinct findings among the records of the findings topic."""
    return {(key, value) for key, value in distinct(records) if value.startswith(b'{"type":"finding"')}


def evaluated(context: StageContext, measurements: Sequence[Placed]) -> list[Placed]:
    """What stage 1 says of a dumped log of measurements, in this process and without a broker."""
    count = context.finding_partitions
    logs: list[list[Record]] = [[] for _ in range(count)]
    for partition in range(context.measurement_partitions):
        records = [placed for placed in measurements if placed.partition == partition]
        for output in _applied(Stage1(partition, context), MEASUREMENTS, partition, records):
            if output.topic == FINDINGS:
                place = owner(output.record.key or b"", count) if output.partition is None else output.partition
                logs[place].append(output.record)
    return [Placed(place, offset, record) for place, log in enumerate(logs) for offset, record in enumerate(log)]


def reviewed(context: StageContext, findings: Sequence[Placed]) -> Distinct:
    """The triggers that stage 2 makes of a log of findings, in this process and without a broker."""
    triggers = []
    for partition in range(context.finding_partitions):
        records = [placed for placed in findings if placed.partition == partition]
        stage = Stage2(partition, context)
        outputs = _applied(stage, FINDINGS, partition, records)
        triggers += [output.record for output in outputs if output.topic == TRIGGERS]
        stage.close()
    return distinct(triggers)


def _applied(stage: Stage, topic: str, partition: int, records: Sequence[Placed]) -> Iterator[Output]:
    for first in range(0, len(records), AT_ONCE):
        part = records[first : first + AT_ONCE]
        begin, end = part[0].offset, part[-1].offset
        assert end - begin == len(part) - 1, "own topics have no gaps"
        data = encode_batch([placed.record for placed in part], begin)
        yield from stage.apply(Batch(topic, partition, begin, end, end + 1, data))


def by_id(triggers: Iterable[bytes]) -> dict[str, set[bytes]]:
    """The values seen for each trigger id."""
    seen: dict[str, set[bytes]] = {}
    for value in triggers:
        seen.setdefault(json.loads(value)["id"], set()).add(value)
    return seen
