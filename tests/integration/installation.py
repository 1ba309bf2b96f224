"""An installation for tests: topics under a prefix of its own, workers as processes, and what its topics hold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Consumer, TopicPartition
from engine.runtime.stage2 import Stage2

from engine.brokers.sender import Sender
from engine.brokers.topics import TopicAdmin, plan
from engine.cli.demo_follow import Follower
from engine.cli.demo_worker import WorkerProcess
from engine.client.replay import Replay
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from engine.model.measurement import Measurement
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Stage

AT_ONCE = 5_000


class Placed(NamedTuple):
    """A record and where it stands."""

    partition: int
    offset: int
    record: Record


class Installation:
    """Own topics with `partitions` each at `bootstrap`; workers read `rules`."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int, rules: Path, **settings: str) -> None:
        self.bootstrap, self.prefix, self.partitions, self.rules = bootstrap, prefix, partitions, rules
        self.settings = {
            "measurement_partitions": str(partitions),
            "checkpoint_interval_min": "500ms",
            "checkpoint_interval_max": "2s",
            **settings,
        }
        self.topics = plan(prefix, partitions)
        TopicAdmin(bootstrap).create(self.topics)

    def worker(self, domain: str = "replay", **settings: str) -> WorkerProcess:
        """Start a worker; use it as a context manager."""
        chosen = {**self.settings, **settings}
        return WorkerProcess(
            [
                *("--brokers", self.bootstrap, "--prefix", self.prefix, "--rules", str(self.rules.resolve())),
                *("--domain", domain, "--start-at", "earliest"),
                *(part for name, value in chosen.items() for part in ("--set", f"{name}={value}")),
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

    def wait_until_settled(self, worker: WorkerProcess, seconds: float) -> None:
        """Until everything is committed to the end of the logs."""
        deadline = time.monotonic() + seconds
        with Follower(self.bootstrap, self.prefix, self.prefix, self.topics) as follower:
            while not follower.settled:
                worker.require_alive()
                assert time.monotonic() < deadline, f"left: {follower.left}\n{worker.tail()}"
                time.sleep(0.2)

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


def _read(consumer: Consumer, name: str, partition: int) -> Iterable[Placed]:
    low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)
    consumer.assign([TopicPartition(name, partition, low)])
    while consumer.position([TopicPartition(name, partition)])[0].offset < high and low < high:
        for message in consumer.consume(10_000, timeout=1.0):
            assert message.error() is None, message.error()
            headers = tuple(message.headers() or ())
            yield Placed(partition, message.offset(), Record(message.key(), message.value(), headers))


class Outcome(NamedTuple):
    """Distinct records by what they are: (key, value) of findings, and the values of each trigger id."""

    findings: set[tuple[bytes, bytes]]
    triggers: set[tuple[bytes, bytes]]


def outcome(findings: Iterable[Record], triggers: Iterable[Record]) -> Outcome:
    """Repeats of an equal record are one; progress reports are not findings."""
    said = {(record.key or b"", record.value or b"") for record in findings}
    said = {(key, value) for key, value in said if b'"type":"finding"' in value[:30]}
    return Outcome(said, {(record.key or b"", record.value or b"") for record in triggers})


def oracle(rule_set: RuleSet, measurements: Iterable[Placed], partitions: int, **context: object) -> Outcome:
    """What both stages say of a dumped input log, in this process and without a broker."""
    around = StageContext({rule_set.hash: rule_set}, rule_set.hash, partitions, partitions, **context)  # type: ignore[arg-type]
    inputs: dict[int, list[Placed]] = {partition: [] for partition in range(partitions)}
    for placed in measurements:
        inputs[placed.partition].append(placed)
    findings: dict[int, list[Record]] = {partition: [] for partition in range(partitions)}
    for partition, records in inputs.items():
        for output in _apply(Stage1(partition, around), MEASUREMENTS, partition, records):
            if output.topic == FINDINGS:
                place = output.partition if output.partition is not None else owner(output.record.key, partitions)
                findings[place].append(output.record)
    triggers = []
    for partition, said in findings.items():
        placed = [Placed(partition, offset, record) for offset, record in enumerate(said)]
        stage = Stage2(partition, around)
        triggers += [output.record for output in _apply(stage, FINDINGS, partition, placed)]
        stage.close()
    return outcome([record for said in findings.values() for record in said], triggers)


def _apply(stage: Stage, topic: str, partition: int, records: list[Placed]) -> Iterable[object]:
    for first in range(0, len(records), AT_ONCE):
        part = records[first : first + AT_ONCE]
        begin, end = part[0].offset, part[-1].offset
        data = b"".join(encode_batch([placed.record], placed.offset) for placed in part) if _gaps(part) else None
        data = encode_batch([placed.record for placed in part], begin) if data is None else data
        yield from stage.apply(Batch(topic, partition, begin, end, end + 1, data))


def _gaps(part: list[Placed]) -> bool:
    return part[-1].offset - part[0].offset != len(part) - 1


def by_id(triggers: Mapping[str, bytes] | Iterable[bytes]) -> dict[str, set[bytes]]:
    """The values seen for each trigger id."""
    import json

    seen: dict[str, set[bytes]] = {}
    for value in triggers:
        seen.setdefault(json.loads(value)["id"], set()).add(value)
    return seen
