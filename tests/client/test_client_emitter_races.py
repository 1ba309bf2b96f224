"""The emitter's promises where threads meet: what it took is sent, and room is refused only where there is none."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING

import pytest

from engine.brokers.reader import read_values
from engine.brokers.topics import Topic, TopicAdmin
from engine.client.connect import EMBEDDED_API_VERSION
from engine.client.emitter import MeasurementEmitter
from engine.errors import BrokerError

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker

THREADS = 4
MANY_PARTITIONS = 64
SERIES = 2_000
ENOUGH = 1_000


def emit_until_closed(emitter: MeasurementEmitter, which: int, taken: list[int], begun: threading.Event) -> None:
    try:
        for number in count():
            emitter.emit("tickets", {"thread": str(which)}, number, number)
            taken[which] += 1
            if number == ENOUGH:
                begun.set()
    except BrokerError:
        return


@pytest.mark.parametrize("run", range(3))
def test_what_emit_took_while_another_thread_closed_is_on_the_topic(embedded: EmbeddedBroker, run: int) -> None:
    embedded.create_topics({f"a{run}.measurements": 3})
    emitter = MeasurementEmitter([embedded.bootstrap], prefix=f"a{run}", api_version=EMBEDDED_API_VERSION)
    taken, begun = [0] * THREADS, threading.Event()
    threads = [
        threading.Thread(target=emit_until_closed, args=(emitter, which, taken, begun)) for which in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    begun.wait()
    emitter.close()
    for thread in threads:
        thread.join()
    assert len(set(read_values(embedded.bootstrap, f"a{run}.measurements"))) == sum(taken) > ENOUGH
    assert emitter.pending == 0


@pytest.mark.kafka
def test_a_topic_of_many_partitions_fills_no_buffer_while_the_broker_is_there(kafka: KafkaBroker, prefix: str) -> None:
    config = {"cleanup.policy": "delete", "retention.ms": "-1"}
    TopicAdmin(kafka.bootstrap).create([Topic(f"{prefix}.measurements", MANY_PARTITIONS, config)])
    with MeasurementEmitter([kafka.bootstrap], prefix=prefix, full="raise") as emitter:
        for number in range(5 * SERIES):
            emitter.emit("tickets", {"company": str(number % SERIES)}, number, number)
    assert emitter.pending == 0
    assert len(set(read_values(kafka.bootstrap, f"{prefix}.measurements"))) == 5 * SERIES
