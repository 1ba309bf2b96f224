"""Single records and the ends of partitions, read by position: no group is joined, nothing is committed.

Library: confluent-kafka's Consumer, because it is synchronous and reads old and new brokers alike.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Self

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaException, TopicPartition

from engine.errors import BrokerError

if TYPE_CHECKING:
    from types import TracebackType

    from confluent_kafka import Message

    from engine.model.time import Micros

_SECONDS = 20.0
_POLL_SECONDS = 0.2
_AT_ONCE = 1_000


class Seen(NamedTuple):
    """A record and when it was appended (None: the broker keeps no times)."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    appended: Micros | None


class Records:
    """Reads at `bootstrap`; a context manager. BrokerError when a partition cannot be read."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "counterpoint-doctor",  # the client asks for one; it is not used
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                # As the ends are counted: what stands in an open transaction of others is a record too.
                "isolation.level": "read_uncommitted",
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def between(self, topic: str, partition: int, first: int, end: int, limit: int | None = None) -> list[Seen]:
        """The records at offsets from `first` up to, not including, `end`; of these the first `limit`."""
        found: list[Seen] = []
        if first >= end:
            return found
        deadline = time.monotonic() + _SECONDS
        place = TopicPartition(topic, partition, first)
        try:
            self._consumer.assign([place])
            while self._position(place, first) < end and (limit is None or len(found) < limit):
                messages = self._consumer.consume(_AT_ONCE, timeout=_POLL_SECONDS)
                found += [_seen(message) for message in messages if (message.offset() or 0) < end]
                if messages:
                    deadline = time.monotonic() + _SECONDS
                elif time.monotonic() > deadline:
                    raise BrokerError(f"{topic}[{partition}] gives nothing from offset {first} on")
        except KafkaException as error:
            raise BrokerError(f"{topic}[{partition}] cannot be read: {error.args[0].str()}") from error
        return found[:limit]

    def _position(self, place: TopicPartition, first: int) -> int:
        """Past control and compacted records too, unlike the offsets of what was read."""
        [position] = self._consumer.position([place])
        return max(position.offset, first)


def _seen(message: Message) -> Seen:
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    kind, milliseconds = message.timestamp()
    headers = tuple((str(name), _bytes(value) or b"") for name, value in dict(message.headers() or ()).items())
    appended = None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds * 1_000
    return Seen(message.offset() or 0, _bytes(message.key()), _bytes(message.value()), headers, appended)


def _bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
