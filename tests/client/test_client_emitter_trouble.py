"""The emitter when the broker is away, refuses, or takes less than was thought."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.kafka import KafkaBroker
from engine.brokers.reader import read_values
from engine.brokers.topics import Topic, TopicAdmin, plan
from engine.client.connect import EMBEDDED_API_VERSION
from engine.client.emitter import MeasurementEmitter
from engine.client.outbox import BufferFullError
from engine.errors import BrokerError

if TYPE_CHECKING:
    from engine.client.waiting import Full

REPOSITORY = Path(__file__).resolve().parents[2]
LARGE = {"text": "x" * 400_000}
SOME, MANY = 10, 100
SMALL_BYTES_MAX = 2_000


def emitter_without_broker(full: Full, seconds: float = 0.3) -> MeasurementEmitter:
    """Its broker was there when it began."""
    with EmbeddedBroker() as broker:
        broker.create_topics({"a.measurements": 2})
        return MeasurementEmitter(
            [broker.bootstrap],
            prefix="a",
            full=full,
            seconds=seconds,
            buffer_bytes=4_000_000,
            api_version=EMBEDDED_API_VERSION,
        )


def fill(emitter: MeasurementEmitter) -> int:
    """Emit large ones until one finds no room; how many did."""
    for number in range(MANY):
        try:
            emitter.emit("tickets", LARGE, number, number)
        except BufferFullError:
            return number
    return MANY


@pytest.mark.parametrize("full", ["raise", "block"])
def test_a_full_buffer_is_told_to_whoever_emits_and_keeps_what_it_has(full: Full) -> None:
    emitter = emitter_without_broker(full)
    taken = fill(emitter)
    assert 3 <= taken <= SOME
    assert emitter.pending == taken
    with pytest.raises(BufferFullError, match=f"found {taken} that .* has not acknowledged"):
        emitter.emit("tickets", LARGE, MANY, 1)
    with pytest.raises(BrokerError, match=f"found {taken} measurements that are not; they are sent on"):
        emitter.flush()
    assert emitter.pending == taken
    with pytest.raises(BrokerError, match=f"found {taken} measurements that are not; they are lost"):
        emitter.close()


def test_what_finds_no_room_is_dropped_and_counted_where_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    emitter = emitter_without_broker("drop")
    with caplog.at_level(logging.WARNING, logger="engine.client"):
        for number in range(MANY):
            emitter.emit("tickets", LARGE, number, number)
    assert emitter.dropped == MANY - emitter.pending >= MANY - SOME
    assert [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()][1:] == []
    with pytest.raises(BrokerError, match="lost"):
        emitter.close()


def topic_of_small_batches(kafka: KafkaBroker, prefix: str) -> str:
    config = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": str(SMALL_BYTES_MAX)}
    TopicAdmin(kafka.bootstrap).create([Topic(f"{prefix}.measurements", 2, config)])
    return f"{prefix}.measurements"


@pytest.mark.kafka
def test_batches_larger_than_the_broker_takes_are_split(kafka: KafkaBroker, prefix: str) -> None:
    topic = topic_of_small_batches(kafka, prefix)
    with MeasurementEmitter([kafka.bootstrap], prefix=prefix) as emitter:
        for number in range(MANY):
            emitter.emit("tickets", {"company": str(number % 7)}, number, number)
        emitter.flush()
        assert (emitter.pending, emitter.failed) == (0, 0)
    values = list(read_values(kafka.bootstrap, topic))
    assert len(values) == len(set(values)) == MANY


@pytest.mark.kafka
def test_what_the_broker_refuses_is_counted_and_takes_nothing_else_along(kafka: KafkaBroker, prefix: str) -> None:
    topic = topic_of_small_batches(kafka, prefix)
    emitter = MeasurementEmitter([kafka.bootstrap], prefix=prefix)
    emitter.emit("tickets", {"text": "x" * SMALL_BYTES_MAX}, 0, 0)
    for number in range(MANY):
        emitter.emit("tickets", {"company": str(number % 7)}, number, number)
    with pytest.raises(BrokerError, match=r"1 measurements for .* were refused: .*MessageSizeTooLarge"):
        emitter.flush()
    emitter.emit("tickets", {"company": "later"}, MANY, MANY)
    emitter.close()
    assert (emitter.pending, emitter.failed) == (0, 1)
    assert len(set(read_values(kafka.bootstrap, topic))) == MANY + 1


@pytest.mark.kafka
def test_what_was_emitted_while_the_broker_was_away_is_there_when_it_is_back(tmp_path: Path) -> None:
    with KafkaBroker(tmp_path) as broker:
        TopicAdmin(broker.bootstrap).create(plan("a", 2))
        with MeasurementEmitter([broker.bootstrap], prefix="a", seconds=60) as emitter:
            emitter.emit("tickets", {}, 0, 0)
            emitter.flush()
            broker.kill()
            for number in range(1, MANY):
                emitter.emit("tickets", {}, number, number)
            assert emitter.pending == MANY - 1
            broker.start()
        values = list(read_values(broker.bootstrap, "a.measurements"))
    assert len(values) == len(set(values)) == MANY


ENDS_WITHOUT_BROKER = """
import sys
sys.path.insert(0, "tests/client")
from test_client_emitter_trouble import emitter_without_broker
emitter = emitter_without_broker("block")
emitter.emit("tickets", {}, 0, 1)
"""


def test_a_program_that_ends_while_the_broker_is_away_says_what_is_lost() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", ENDS_WITHOUT_BROKER]
    done = subprocess.run(
        command, check=True, env=environment, timeout=60, capture_output=True, text=True, cwd=REPOSITORY
    )
    assert "at the end: 1 measurements were not acknowledged within 0.3 s; they are lost" in done.stderr
