from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, TopicPartition

from engine.brokers.pacing import Pacer
from engine.brokers.sender import Sender
from engine.errors import BrokerError

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker

TOPIC = "a.measurements"
RECORDS = 12_000


class Reader(threading.Thread):
    """Reads partition 0 as a worker's group would, and commits; `gaps` are offsets that it missed."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__()
        self.consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "a", "auto.offset.reset": "error", "enable.auto.commit": False}
        )
        self.stopped = threading.Event()
        self.position = 0
        self.gaps: list[int] = []
        self.errors: list[str] = []

    def run(self) -> None:
        self.consumer.assign([TopicPartition(TOPIC, 0, 0)])
        while not self.stopped.is_set() and self.position < RECORDS:
            for message in self.consumer.consume(1_000, 0.1):
                if (error := message.error()) is not None:
                    self.errors.append(error.str())
                    continue
                if message.offset() != self.position:
                    self.gaps.append(self.position)
                self.position = message.offset() + 1
            self.consumer.commit(offsets=[TopicPartition(TOPIC, 0, self.position)], asynchronous=False)
        self.consumer.close()


def test_a_paced_sender_never_writes_over_what_was_not_read(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({TOPIC: 1})
    reader = Reader(embedded.bootstrap)
    noise = random.Random(7)
    reader.start()
    try:
        with Sender(embedded.bootstrap, TOPIC, "a") as sender:
            for _ in range(RECORDS):
                sender.send(0, None, noise.randbytes(900))  # it does not compress: twice what the broker holds
        reader.join(30)
    finally:
        reader.stopped.set()
        reader.join()
    assert (reader.position, reader.gaps, reader.errors) == (RECORDS, [], [])


def test_a_sender_that_nobody_reads_gives_up_and_says_so(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({TOPIC: 1})
    pacer = Pacer(embedded.bootstrap, TOPIC, 1, "a", bytes_max=1_000, patience_seconds=0.2)
    for _ in range(10):
        pacer.before_send(0, 100)
    with pytest.raises(BrokerError, match="is a worker running"):
        pacer.before_send(0, 100)
    pacer.close()


def test_a_topic_that_is_not_there_is_refused(embedded: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match=r"expected the topic a\.measurements"):
        Sender(embedded.bootstrap, TOPIC, "a")
