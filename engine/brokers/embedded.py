"""A broker inside this process, for trying and testing: librdkafka's own mock cluster.

It speaks the Kafka protocol on a free loopback port, so that every client works against it. It lives in memory, keeps
about 5 MB (or 100,000 batches) a partition and **drops the oldest records in silence** beyond that, compacts nothing
and forgets everything when it closes: senders are paced (`engine.brokers.pacing`), readers refuse to go on below the
low watermark, and a worker that is started again begins anew.

Library: the librdkafka that the `confluent-kafka` wheel bundles, by ctypes, because the Python API of it offers neither
topics with a partition count nor the mock cluster itself.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from engine.brokers.librdkafka import load
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self


NOTICE = (
    "This is the embedded broker: for trying and testing. It keeps everything in memory, at most 5 MB a partition, "
    "and forgets it when it stops."
)

_PRODUCER = 0
_CONF_OK = 0


class EmbeddedBroker:
    """One mock broker on a free loopback port; a context manager. `bootstrap` is its address.

    BrokerError when librdkafka cannot be found or refuses.
    """

    def __init__(self) -> None:
        self._library = load()
        self._client = self._new_client()
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._client)
            raise BrokerError("expected librdkafka to start its mock cluster, it did not; is a loopback port free?")
        # A group of one need not wait the 3 s that a real broker waits for further members.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        # Without a controller it keeps admin clients waiting for one.
        self._library.rd_kafka_mock_set_controller_id(self._cluster, 1)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def _new_client(self) -> int:
        """The client that the cluster's threads live in; it connects to nothing."""
        error = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        # Without this it notes on stderr that it has no broker to connect to.
        if self._library.rd_kafka_conf_set(conf, b"log_level", b"0", error, len(error)) != _CONF_OK:
            raise BrokerError(f"librdkafka refused its own option log_level: {error.value.decode()}")
        client: int | None = self._library.rd_kafka_new(_PRODUCER, conf, error, len(error))
        if not client:
            raise BrokerError(f"expected librdkafka to start, it said: {error.value.decode()}")
        return client

    def create_topics(self, partitions: Mapping[str, int]) -> None:
        """Make topics, by full name, with that many partitions each. BrokerError when one is there already."""
        self._require_open()
        for topic, count in partitions.items():
            code = self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), count, 1)
            if code:
                reason = self._library.rd_kafka_err2str(code).decode()
                raise BrokerError(f"topic {topic!r} with {count} partitions cannot be made: {reason}")

    def delete_topic(self, topic: str) -> None:
        """Forget a topic and what stands in it. BrokerError when there is none."""
        self._require_open()
        code = self._library.rd_kafka_mock_topic_delete(self._cluster, topic.encode())
        if code:
            reason = self._library.rd_kafka_err2str(code).decode()
            raise BrokerError(f"topic {topic!r} cannot be deleted: {reason}")

    def close(self) -> None:
        """Stop it; everything in it is gone. Closing twice does nothing."""
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._client)
            self._cluster = None

    def _require_open(self) -> None:
        if not self._cluster:
            raise BrokerError("the embedded broker is closed; start another")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
