"""Emitting measurements from a running service, a few at a time.

Library: kafka-python, because it is pure Python: a service that emits needs no compiler and no librdkafka.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from kafka import KafkaProducer
from kafka.errors import KafkaError

from engine.errors import BrokerError
from engine.model.identity import derived_measurement_id, series_key
from engine.model.time import from_datetime
from engine.model.topics import MEASUREMENTS, full_name
from engine.wire.encode import encode_measurement
from engine.wire.partition import owner
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from kafka.producer.future import FutureRecordMetadata

    from engine.model.measurement import Provenance

PENDING_MAX = 10_000
"""Measurements that may wait for their acknowledgement; the next `emit` waits for the oldest."""


EMBEDDED_API_VERSION = (0, 11)
"""What the embedded broker is to be taken for."""


class MeasurementEmitter:
    """Sends measurements to the topic under `prefix` at `bootstrap`; a context manager, for one thread.

    `seconds` is how long a call may wait for the broker. Every method raises BrokerError when something was not
    acknowledged in that time; what was emitted since the last `flush` may then be emitted again, for the same
    measurement has the same id and counts once. `api_version` is the broker's, asked for where it is not given; the
    embedded broker's answer to that question is one that kafka-python cannot read: give `EMBEDDED_API_VERSION` there.
    """

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        *,
        source: str | None = None,
        seconds: float = 30.0,
        api_version: tuple[int, ...] | None = None,
    ) -> None:
        self._topic = full_name(prefix, MEASUREMENTS)
        self._source = source
        self._seconds = seconds
        self._pending: list[FutureRecordMetadata] = []
        _require_reachable(bootstrap, seconds)
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                api_version=api_version,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                linger_ms=5,
                max_block_ms=int(seconds * 1_000),
                bootstrap_timeout_ms=int(seconds * 1_000),
            )
        except KafkaError as error:
            raise BrokerError(f"expected a Kafka broker at {bootstrap}, it cannot be used: {error!r}") from error
        try:
            self._partitions = len(self._producer.partitions_for(self._topic))
        except KafkaError as error:
            self._producer.close()
            raise BrokerError(
                f"expected the topic {self._topic} at {bootstrap}, found none; see `counterpoint topics`"
            ) from error

    def emit(
        self,
        kpi: str,
        dimensions: Mapping[str, str],
        time: datetime | str | float,
        value: float,
        *,
        id: str | None = None,  # noqa: A002 (the field's name in the contract)
        provenance: Provenance = "automated",
        revision: int = 0,
    ) -> None:
        """Queue one. `time` is an aware datetime, RFC 3339, or seconds since the epoch.

        Without an id it gets the one that KPI, dimensions and time give. WireError for a time or value that no
        measurement may have.
        """
        micros = parse_time(time) if isinstance(time, str | int | float) else from_datetime(time)
        name = id if id is not None else derived_measurement_id(kpi, dimensions, micros)
        message = encode_measurement(
            kpi, micros, value, dimensions, id=name, source=self._source, provenance=provenance, revision=revision
        )
        key = series_key(kpi, dimensions).encode()
        if len(self._pending) >= PENDING_MAX:
            self._settle(PENDING_MAX // 2)
        try:
            sent = self._producer.send(self._topic, message, key, partition=owner(key, self._partitions))
        except KafkaError as error:
            raise BrokerError(f"a measurement for {self._topic} cannot be sent: {error!r}") from error
        self._pending.append(sent)

    def flush(self) -> None:
        """Return when everything emitted is acknowledged."""
        self._settle(len(self._pending))

    def close(self) -> None:
        """Flush, and let go of the connections."""
        try:
            self.flush()
        finally:
            self._producer.close(timeout=self._seconds)

    def _settle(self, count: int) -> None:
        waiting, self._pending = self._pending[:count], self._pending[count:]
        try:
            for sent in waiting:
                sent.get(timeout=self._seconds)
        except KafkaError as error:
            raise BrokerError(f"measurements for {self._topic} were not acknowledged: {error!r}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_reachable(bootstrap: str, seconds: float) -> None:
    """Somebody listens at one of the addresses: a KafkaProducer that finds nobody leaves its sockets open."""
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[] "), int(port)), timeout=seconds).close()
        except (OSError, ValueError):
            continue
        return
    raise BrokerError(f"expected a Kafka broker at {bootstrap}, nobody listens there")
