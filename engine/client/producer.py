"""kafka-python's producer, with records put into its batches in bulk and nothing of ours to wait for a single one.

`KafkaProducer.send` makes a future with a lock, two callbacks and several checks for every record: on one core that
alone is near 20,000 a second. Here a record goes straight into the open batch of its partition, and only the batch has
a future. Batches, linger, retries, sequence numbers and connections stay the library's. The parts that are subclassed
are not in its documentation: a test says when a version has changed them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kafka import KafkaProducer, TopicPartition
from kafka.producer.producer_batch import ProducerBatch
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.record.memory_records import MemoryRecordsBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Split = Callable[[ProducerBatch, Iterable[ProducerBatch]], None]

_MAGIC = 2
"""The record format with sequence numbers, of brokers from 0.11 on."""

BATCH_BYTES = 256 * 1024
_BATCH_BYTES_MIN = 16 * 1024
_LET_GO_SECONDS = 5.0


def batch_bytes(buffer_bytes: int, partitions: int) -> int:
    """The size of a batch: every partition may have one open and one on its way."""
    return max(_BATCH_BYTES_MIN, min(BATCH_BYTES, buffer_bytes // (2 * partitions)))


class BatchProducer(KafkaProducer):  # type: ignore[misc]  # the library ships no types
    """Writes to one topic. `split` is told, by the sending thread, which batches came of one that was too large."""

    def __init__(self, split: Split, **config: object) -> None:
        super().__init__(acks="all", enable_idempotence=True, metrics_enabled=False, **config)
        self._unregister_cleanup()  # the outbox says how long to wait at the end of the program, not the library
        # The sender runs already, and has found the accumulator that it replaces empty.
        self._accumulator = self._sender._accumulator = _BatchAccumulator(  # noqa: SLF001 (two halves of one thing)
            split, transaction_manager=self._transaction_manager, message_version=_MAGIC, **self.config
        )
        self._places: list[TopicPartition] = []
        self.batch_bytes = 0

    def open_topic(self, topic: str, buffer_bytes: int) -> None:
        """Find the topic, and the size of batches with which all may wait in the buffer; KafkaError without a topic."""
        self._places = [TopicPartition(topic, partition) for partition in range(len(self.partitions_for(topic)))]
        self.batch_bytes = batch_bytes(buffer_bytes, len(self._places))
        self._accumulator.config["batch_size"] = self.batch_bytes

    @property
    def partitions(self) -> int:
        """The topic's partitions."""
        return len(self._places)

    def append(self, partition: int, key: bytes, value: bytes, timestamp_ms: int | None = None) -> bool:
        """Put a record into the partition's open batch; False when there is none with room for it."""
        return self._accumulator.append_to_open(self._places[partition], key, value, timestamp_ms)

    def open(self, partition: int, key: bytes, value: bytes, timestamp_ms: int | None = None) -> ProducerBatch:
        """Begin a batch with a record."""
        batch = self._accumulator.open_batch(self._places[partition], key, value, timestamp_ms)
        self._sender.wakeup()
        return batch

    def abandon(self) -> None:
        """End it at once; the futures of batches that are not acknowledged fail before it returns."""
        self._closed = True
        self._sender.force_close()
        self._sender.join(_LET_GO_SECONDS)


class _BatchAccumulator(RecordAccumulator):  # type: ignore[misc]  # the library ships no types
    """The library's own, with batches that have no future for each of their records."""

    def __init__(self, split: Split, **config: object) -> None:
        super().__init__(**config)
        self._split = split

    def append_to_open(self, place: TopicPartition, key: bytes, value: bytes, timestamp_ms: int | None) -> bool:
        with self._tp_lock(place):
            batches = self._batches[place]
            return bool(batches) and batches[-1].records.append(timestamp_ms, key, value) is not None

    def open_batch(self, place: TopicPartition, key: bytes, value: bytes, timestamp_ms: int | None) -> ProducerBatch:
        records = MemoryRecordsBuilder(_MAGIC, self.config["compression_attrs"], self.config["batch_size"])
        records.append(timestamp_ms, key, value)
        batch = ProducerBatch(place, records, now=time.monotonic())
        with self._tp_lock(place):
            self._batches[place].append(batch)
            self._incomplete.add(batch)
        return batch

    def split_and_reenqueue(self, batch: ProducerBatch, now: float | None = None) -> int:
        """The broker takes smaller batches than ours: the next ones are smaller from the beginning."""
        before = set(self._incomplete.all())
        count = super().split_and_reenqueue(batch, now=now)
        self._split(batch, set(self._incomplete.all()) - before)
        self.config["batch_size"] = max(batch.records.size_in_bytes() // 2, 1)
        return int(count)
