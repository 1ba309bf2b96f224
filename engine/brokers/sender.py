"""Sends many records to one topic, fast.

Library: confluent-kafka's Producer, because it takes about a million small records a second from Python, and
kafka-python some twenty thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from confluent_kafka import KafkaException, Producer

from engine.brokers.pacing import Pacer
from engine.brokers.topics import TopicAdmin
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from confluent_kafka import KafkaError, Message

_RECORD_OVERHEAD = 24
"""What a record costs beyond key and value: lengths, offsets, its share of the batch's header."""

_RATIO_MARGIN = 1.5
_RATIO_KNOWN_FROM = 200_000
_FLUSH_SECONDS = 60.0
_POLL_EVERY = 1_000


class Sender:
    """An idempotent producer to `topic`; a context manager, and a `client.replay.Sink`.

    `partitions` is the topic's count. At the embedded broker it is paced by what `group` has committed.
    """

    def __init__(self, bootstrap: str, topic: str, group: str) -> None:
        admin = TopicAdmin(bootstrap)
        there = admin.partitions()
        if topic not in there:
            raise BrokerError(f"expected the topic {topic} at {bootstrap}, found none; `counterpoint topics` makes it")
        self.partitions = there[topic]
        self._topic = topic
        self._failure: KafkaError | None = None
        self._ratio = 1.0
        self._queued = 0
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
                "batch.size": 256 * 1024,
                "batch.num.messages": 10_000,
                "queue.buffering.max.messages": 200_000,
                "delivery.report.only.error": True,
                "statistics.interval.ms": 500,
                "stats_cb": self._learn_ratio,
                "on_delivery": self._note_failure,
                "log_level": 0,
            }
        )
        self._pacer = (
            Pacer(bootstrap, topic, self.partitions, group, ratio=self._log_bytes_per_byte) if admin.embedded else None
        )

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """See `client.replay.Sink`."""
        if self._pacer is not None:
            self._pacer.before_send(partition, len(key or b"") + len(value or b"") + _RECORD_OVERHEAD)
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition, headers=list(headers) or None)
            except BufferError:  # its queue is full: let it send
                self._producer.poll(0.05)
            except KafkaException as error:
                raise BrokerError(f"a record for {self._topic}[{partition}] cannot be sent: {error}") from error
            else:
                break
        self._queued += 1
        if self._queued % _POLL_EVERY == 0:
            self._producer.poll(0)
            self._raise_failure()

    def flush(self) -> None:
        """See `client.replay.Sink`."""
        left = self._producer.flush(_FLUSH_SECONDS)
        self._raise_failure()
        if left:
            raise BrokerError(f"{left} records for {self._topic} were not acknowledged within {_FLUSH_SECONDS:g} s")

    def close(self) -> None:
        """Flush, and let go of the connections."""
        try:
            self.flush()
        finally:
            if self._pacer is not None:
                self._pacer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _log_bytes_per_byte(self) -> float:
        self._producer.poll(0)  # hands over the newest figures
        return self._ratio

    def _note_failure(self, error: KafkaError | None, _: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise BrokerError(f"records for {self._topic} were not acknowledged: {self._failure.str()}")

    def _learn_ratio(self, statistics: str) -> None:
        """How well it compresses, from librdkafka's own figures: bytes sent on the wire for bytes of messages."""
        figures = msgspec.json.decode(statistics)
        messages = figures["txmsg_bytes"]
        if messages > _RATIO_KNOWN_FROM:
            self._ratio = min(1.0, _RATIO_MARGIN * figures["tx_bytes"] / messages)
