"""The load in a topic of a real Kafka: written once by librdkafka, in batches as a producer in earnest makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from confluent_kafka import Producer
from ingest_batches import tick_record
from ingest_load import ticks
from ingest_messages import KPI, host, messages

from engine.model.identity import series_key
from engine.wire.partition import owner

if TYPE_CHECKING:
    from ingest_load import Load

Codec = Literal["none", "gzip", "snappy", "lz4", "zstd"]
CODECS: tuple[Codec, ...] = ("none", "gzip", "snappy", "lz4", "zstd")

_AT_ONCE = 10_000
_QUEUED_MAX = 400_000


class Packing(NamedTuple):
    """How the producer packs: the most bytes of a record batch, and how they are compressed."""

    batch_bytes: int = 256 * 1024
    codec: Codec = "none"


class LoadWriter:
    """Writes a load to `topic`, each measurement to the partition that owns its series, under its series key."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, packing: Packing) -> None:
        self._topic, self._partitions = topic, partitions
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "compression.type": packing.codec,
                "linger.ms": 20,
                "batch.size": packing.batch_bytes,
                "queue.buffering.max.messages": 2 * _QUEUED_MAX,
                "queue.buffering.max.kbytes": 1024 * 1024,
                "delivery.report.only.error": True,
                "on_delivery": _raise,
                "log_level": 0,
            }
        )

    def write(self, load: Load, shape: str, *, with_ticks: bool = True) -> None:
        """All of it, minute by minute, with the ticks between; returns when it is acknowledged."""
        keys = [series_key(KPI, {"host": host(series)}).encode() for series in range(load.hosts)]
        places = [owner(key, self._partitions) for key in keys]
        ends = load.minute.searchsorted(range(load.minutes), side="right").tolist()
        first, *numbers = ticks(load)
        if with_ticks:
            self.tick(first)
        begin = 0
        for number, end in zip(numbers, [*ends, load.total], strict=True):
            for start in range(begin, end, _AT_ONCE):
                self._write(load, shape, start, min(end, start + _AT_ONCE), keys, places)
            if with_ticks:
                self.tick(number)
            begin = end
        self.flush()

    def _write(self, load: Load, shape: str, first: int, last: int, keys: list[bytes], places: list[int]) -> None:
        while len(self._producer) > _QUEUED_MAX:
            self._producer.poll(0.01)
        series = load.series[first:last].tolist()
        batches: list[list[dict[str, bytes]]] = [[] for _ in range(self._partitions)]
        for value, number in zip(messages(load, shape, first, last), series, strict=True):
            batches[places[number]].append({"value": value, "key": keys[number]})
        for partition, batch in enumerate(batches):
            if batch:
                self._producer.produce_batch(self._topic, batch, partition)
        self._producer.poll(0)

    def tick(self, number: int) -> None:
        """One tick in every partition."""
        record = tick_record(number)
        for partition in range(self._partitions):
            self._producer.produce(self._topic, record.value, record.key, partition, headers=list(record.headers))

    def flush(self) -> None:
        """Until all is acknowledged."""
        left = self._producer.flush(120)
        assert left == 0, f"{left} messages were not acknowledged"


def _raise(error: object, _message: object) -> None:
    raise AssertionError(f"a message was not acknowledged: {error}")
