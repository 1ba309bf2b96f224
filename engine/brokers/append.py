"""Writes a few records to several topics, and waits until they are acknowledged.

Library: confluent-kafka's Producer, as for the other commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import KafkaException, Producer

from engine.brokers.topics import TopicAdmin
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import KafkaError, Message

_SECONDS = 30.0


class Entry(NamedTuple):
    """A record for partition 0 of `topic`, its name at the broker."""

    topic: str
    key: bytes | None
    value: bytes


def append_entries(bootstrap: str, entries: Sequence[Entry]) -> None:
    """Write them in order; BrokerError when a topic is missing or one of them is not acknowledged."""
    there = TopicAdmin(bootstrap).partitions()
    for topic in sorted({entry.topic for entry in entries} - there.keys()):
        raise BrokerError(f"expected the topic {topic} at {bootstrap}, found none; `counterpoint topics` makes it")
    failures: list[str] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(f"{message.topic()}: {error.str()}")

    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0})
    try:
        for entry in entries:
            producer.produce(entry.topic, entry.value, entry.key, 0, on_delivery=note)
        left = producer.flush(_SECONDS)
    except KafkaException as error:
        raise BrokerError(f"records cannot be written to {bootstrap}: {error}") from error
    if left or failures:
        raise BrokerError(f"{left + len(failures)} records were not acknowledged by {bootstrap}: {', '.join(failures)}")
