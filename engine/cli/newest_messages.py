"""The newest messages of a topic, read by position: no group, nothing committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from engine.errors import BrokerError
from engine.wire.batch import LogRecord

if TYPE_CHECKING:
    from confluent_kafka import Message

_SECONDS = 10.0
_POLL_SECONDS = 0.5


def newest_messages(bootstrap: str, topic: str, count: int) -> list[tuple[int, LogRecord]]:
    """At most `count` of the newest records, oldest first, each with its partition.

    BrokerError when they cannot be read: no such topic, or no broker.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "counterpoint-reader",  # the client asks for one; it is not used
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    try:
        messages = _read(consumer, topic, count)
    except KafkaException as error:
        raise BrokerError(f"expected to read {topic} at {bootstrap}: {error}") from error
    finally:
        consumer.close()
    newest = sorted(messages, key=lambda message: (message.timestamp()[1], message.offset() or 0))[-count:]
    return [(message.partition() or 0, _record(message)) for message in newest]


def _read(consumer: Consumer, topic: str, count: int) -> list[Message]:
    metadata = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
    if metadata.error is not None:
        raise BrokerError(f"expected the topic {topic}: {metadata.error.str()}")
    ends, places = {}, []
    for partition in metadata.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SECONDS)
        if high > low:
            ends[partition] = high
            places.append(TopicPartition(topic, partition, max(low, high - count)))
    if not places:
        return []
    consumer.assign(places)
    found = []
    while ends:
        for message in consumer.consume(count, timeout=_POLL_SECONDS):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            found.append(message)
        for place in consumer.position(places):  # past aborted and control records too, unlike the messages' offsets
            if place.offset >= ends.get(place.partition, place.offset + 1):
                del ends[place.partition]
    return found


def _record(message: Message) -> LogRecord:
    key, value = message.key(), message.value()
    return LogRecord(
        message.offset() or 0,
        key.encode() if isinstance(key, str) else key,
        value.encode() if isinstance(value, str) else value,
    )
