"""A toy of a stage, and the real worker that runs it, also as a process of its own:

python stream_toy.py BOOTSTRAP PREFIX PARTITIONS NAME=VALUE...
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from confluent_kafka import Producer

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.topics import TopicAdmin, plan
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.rules.ruleset import RuleSet
from engine.runtime.checkpoint import Checkpoints
from engine.runtime.ports import Output
from engine.runtime.settings import Settings
from engine.stream.lane_maker import Stages
from engine.stream.logs import set_up_logs
from engine.stream.service import serve
from engine.wire.batch import Batch, Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker
    from engine.runtime.context import StageContext
    from engine.runtime.kafka_log import KafkaLog

EMPTY = RuleSet(owners=(), objectives=(), kpis=(), rules=(), sources=(), zones={})
KEYS = 40
SAYS_EVERY = 100


class Counting:
    """Counts records by key; with `says` it says so at every hundredth of a key.

    A record with the key `slow` takes 5 s, one with the key `stuck` for ever, one with the key `broken` raises.
    """

    def __init__(self, context: StageContext, *, says: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.rule_set_hash = context.first_rule_set
        self._says = says

    def apply(self, batch: Batch) -> list[Output]:
        said = []
        for record in records(batch):
            key = (record.key or b"-").decode()
            if key == "slow":
                _hold_the_loop(5.0)
            if key == "stuck":
                sys.stderr.write("stuck\n")
                _hold_the_loop(math.inf)
            if key == "broken":
                raise ZeroDivisionError("a defect in a stage")
            self.counts[key] += 1
            if key == "slow":
                sys.stderr.write("counted slow\n")
            if self._says and key != "-" and self.counts[key] % SAYS_EVERY == 0:
                value = msgspec.json.encode({"type": "said", "key": key, "count": self.counts[key]})
                said.append(Output(FINDINGS, None, Record(key.encode(), value)))
        return said

    def all_pages(self) -> dict[str, bytes]:
        return {"counts": msgspec.json.encode(self.counts)}

    dirty_pages = all_pages

    def restore(self, pages: Mapping[str, bytes]) -> None:
        self.counts = Counter(msgspec.json.decode(pages["counts"], type=dict[str, int]))

    def close(self) -> None:
        pass


def _hold_the_loop(seconds: float) -> None:
    """Busy for so long without giving the event loop a turn."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


STAGES = Stages(
    evaluate=lambda _, context: Counting(context, says=True), review=lambda _, context: Counting(context, says=False)
)


def settings_for(bootstrap: str, prefix: str, partitions: int, **more: object) -> Settings:
    given = {
        "brokers": bootstrap,
        "prefix": prefix,
        "measurement_partitions": partitions,
        "domain": "replay",
        "start_at": "earliest",
        "http_port": 0,
        "session_timeout": "6s",
        "checkpoint_interval_min": "200ms",
        **more,
    }
    return Settings.model_validate(given)


class WorkerProcess:
    """The toy's worker as a process of its own."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("ab") as output:
            command = [sys.executable, __file__, *arguments]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Wait until it ends by itself; its exit status."""
        return self.process.wait(25)

    def drain(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def said(self, text: str, times: int = 1) -> bool:
        """Whether that stands in its log so often."""
        return self.log.read_text().count(text) >= times


@contextmanager
def worker_process(log: Path, bootstrap: str, prefix: str, partitions: int, **more: str) -> Iterator[WorkerProcess]:
    """A worker that does not outlive the test."""
    named = [f"{name}={value}" for name, value in more.items()]
    worker = WorkerProcess(log, bootstrap, prefix, str(partitions), *named)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.kill()


def make_topics(broker: EmbeddedBroker | KafkaBroker, prefix: str, partitions: int) -> str:
    """Make the topics; the broker's address."""
    topics = plan(prefix, partitions)
    if isinstance(broker, EmbeddedBroker):
        broker.create_topics({topic.name: topic.partitions for topic in topics})
    else:
        TopicAdmin(broker.bootstrap).create(topics)
    return broker.bootstrap


async def send(bootstrap: str, prefix: str, partitions: int, count: int, *, first: int = 0) -> None:
    """Send `count` measurements, the `KEYS` keys in turn, each key to a partition of its own choosing."""
    await asyncio.to_thread(_send, bootstrap, full_name(prefix, MEASUREMENTS), partitions, range(first, first + count))


def _send(bootstrap: str, topic: str, partitions: int, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    for number in numbers:
        key = number % KEYS
        producer.produce(topic, b"{}", key=b"key%d" % key, partition=key % partitions)
        if key == 0:
            producer.poll(0)
    assert producer.flush(30) == 0


async def checkpointed(log: KafkaLog, partition: int) -> Counter[str]:
    """What the newest manifest of a checkpoints partition says was counted."""
    recovered = await Checkpoints(log, partition).recover()
    assert recovered is not None
    return Counter(msgspec.json.decode(recovered.pages["counts"], type=dict[str, int]))


async def values_of(log: KafkaLog, topic: str, partition: int) -> list[dict[str, Any]]:
    """Every value of a partition, as JSON."""
    found, offset = [], 0
    while (batch := await log.read(topic, partition, offset)) is not None:
        found += [msgspec.json.decode(record.value or b"{}") for record in records(batch)]
        offset = batch.next_offset
    return found


async def findings_said(log: KafkaLog, partitions: int) -> set[tuple[str, int]]:
    """Every (key, count) that stands in findings."""
    values = [value for partition in range(partitions) for value in await values_of(log, FINDINGS, partition)]
    return {(value["key"], value["count"]) for value in values if value.get("type") == "said"}


def main(bootstrap: str, prefix: str, partitions: str, *named: str) -> None:
    more = dict(item.split("=", 1) for item in named)
    settings = settings_for(bootstrap, prefix, int(partitions), **{"log_format": "console", **more})
    set_up_logs(settings.log_format, os.environ.get("LOG_LEVEL", "info"))
    asyncio.run(serve(settings, EMPTY, STAGES, load=lambda: EMPTY))


if __name__ == "__main__":
    main(*sys.argv[1:])
