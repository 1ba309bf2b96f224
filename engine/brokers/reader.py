"""Reads a whole topic from its beginning, as any subscriber would: no group, no state of ours.

Library: confluent-kafka's Consumer, because it is synchronous and the other commands here use it already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from engine.brokers.topics import TopicAdmin
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 10.0
_AT_ONCE = 1_000


def read_values(bootstrap: str, topic: str, *, follow: bool = False) -> Iterator[bytes]:
    """The values of a topic's records as they are, partition by partition as they come; tombstones are left out.

    Ends where the topic ended when it began, or never with `follow`. BrokerError when it cannot be read.
    """
    count = TopicAdmin(bootstrap).partitions().get(topic)
    if count is None:
        raise BrokerError(f"expected the topic {topic} at {bootstrap}, found none; `counterpoint topics` makes it")
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "counterpoint-reader",  # the client asks for one; nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    try:
        yield from _read(consumer, topic, count, follow=follow)
    except KafkaException as error:
        raise BrokerError(f"{topic} cannot be read: {error}") from error
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, count: int, *, follow: bool) -> Iterator[bytes]:
    places, ends = [], {}
    for partition in range(count):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SECONDS)
        places.append(TopicPartition(topic, partition, low))
        if high > low:
            ends[partition] = high
    consumer.assign(places)
    while follow or ends:
        for message in consumer.consume(_AT_ONCE, timeout=0.5):
            error = message.error()
            if error is not None:
                _raise_lasting(topic, error)
                continue
            value = message.value()
            if value is not None:
                yield value
        for place in consumer.position(places):
            if place.offset >= ends.get(place.partition, place.offset + 1):
                del ends[place.partition]


def _raise_lasting(topic: str, error: KafkaError) -> None:
    """What the client mends by itself (a broker away for a moment) is not worth a word."""
    if not error.retriable() and error.code() != KafkaError._TRANSPORT:  # noqa: SLF001 - its public name for it
        raise BrokerError(f"{topic} cannot be read: {error.str()}")
