"""A producer for one topic, with the settings that let it live through the broker's restarts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from kafka.errors import KafkaError

from engine.client.producer import BatchProducer
from engine.client.sockets import DIRECT_URL
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.client.producer import Split

EMBEDDED_API_VERSION = (0, 11)
"""What the embedded broker is to be taken for: its answer to the question is one that kafka-python cannot read."""
_FOR_EVER_MS = 2**31 - 1
"""A batch is retried with its sequence number as long as the program lives, instead of two minutes."""
_RECONNECT_MS = 1_000
"""At most so long between attempts to reach a broker that is away; the library's own limit is thirty seconds."""
_REQUEST_MS = 15_000
_REQUEST_BYTES = 4 * 1024 * 1024
_REACH_SECONDS = 5.0


def connect(brokers: Sequence[str], topic: str, buffer_bytes: int, split: Split, **config: object) -> BatchProducer:
    """A producer that has found its topic; BrokerError, with what is missing, when there is no broker or no topic."""
    _require_reachable(brokers, _REACH_SECONDS)
    try:
        producer = BatchProducer(
            split,
            bootstrap_servers=brokers,
            proxy_url=DIRECT_URL,
            allow_auto_create_topics=False,
            delivery_timeout_ms=_FOR_EVER_MS,
            request_timeout_ms=_REQUEST_MS,
            max_request_size=_REQUEST_BYTES,
            reconnect_backoff_max_ms=_RECONNECT_MS,
            **config,
        )
    except KafkaError as error:
        raise BrokerError(f"expected a Kafka broker at {','.join(brokers)}, it cannot be used: {error!r}") from error
    try:
        producer.open_topic(topic, buffer_bytes)
    except KafkaError as error:
        producer.abandon()
        raise BrokerError(
            f"expected the topic {topic} at {','.join(brokers)}, found none; see `counterpoint topics`"
        ) from error
    return producer


def _require_reachable(brokers: Sequence[str], seconds: float) -> None:
    """Somebody listens at one of the addresses: a KafkaProducer that finds nobody leaves its sockets open."""
    for address in brokers:
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[] "), int(port)), timeout=seconds).close()
        except (OSError, ValueError):
            continue
        return
    raise BrokerError(f"expected a Kafka broker at {','.join(brokers)}, nobody listens there")
