"""Records for one topic, kept until the broker has acknowledged them, in bounded memory.

While the broker is away kafka-python retries without end, with the same sequence numbers: nothing stands twice. What
it gives up all the same (its producer id is no longer taken, rights are missing) is kept here and sent again by a new
producer: then a record may stand twice.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from kafka.errors import InvalidRecordError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from kafka.producer.producer_batch import FinalState
from kafka.record.memory_records import MemoryRecords

from engine.client.waiting import Waiting
from engine.errors import BrokerError
from engine.model.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kafka.producer.producer_batch import ProducerBatch

    from engine.client.producer import BatchProducer, Split

    Connect = Callable[[Split], BatchProducer]

_log = logging.getLogger(__name__)

MESSAGE_BYTES_MAX = Limits().message_bytes_max
_OVERHEAD = 1_024
"""Bytes around the records of a batch, in memory."""
_PAUSE_SECONDS = 1.0
"""Between failures and the new producer: what was in flight may still be acknowledged."""
_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError)
"""Errors that are the records' own: sent again they would be refused again."""


class BufferFullError(BrokerError):
    """The buffer is full, because the broker is away or slower than what is emitted."""


class Outbox:
    """Sends by the producers that `connect` gives, in at most `buffer_bytes`; for several threads."""

    def __init__(self, connect: Connect, buffer_bytes: int) -> None:
        self._connect = connect
        self._gate = threading.Lock()
        """Held while a record is put into a producer, and while the producer is replaced."""
        self._producer = connect(self._was_split)
        self.partitions = self._producer.partitions
        self._waiting = Waiting(max(buffer_bytes, 2 * MESSAGE_BYTES_MAX + _OVERHEAD))
        self._kept: list[ProducerBatch] = []
        self._mending: threading.Thread | None = None
        self._state = threading.Lock()
        self._closed = False
        self._ending = threading.Event()
        self.failed = 0
        self.last_error: Exception | None = None

    @property
    def pending(self) -> int:
        """Records that are not acknowledged."""
        return self._waiting.count()

    def send(self, partition: int, key: bytes, value: bytes, seconds: float) -> bool:
        """Take a record, waiting up to `seconds` for room; False when there is none. BrokerError when closed."""
        with self._gate:
            self._require_open()
            if self._producer.append(partition, key, value):
                return True
        room = self._room(key, value)
        if not self._waiting.take(room, seconds):
            return False
        with self._gate:
            if self._closed or self._producer.append(partition, key, value):
                self._waiting.give_back(room)
                self._require_open()
            else:
                self._hold(self._producer.open(partition, key, value), room)
        return True

    def _room(self, key: bytes, value: bytes) -> int:
        """What a batch that begins with this record may grow to."""
        return max(self._producer.batch_bytes, len(key) + len(value)) + _OVERHEAD

    def _require_open(self) -> None:
        if self._closed:
            raise BrokerError("expected an open emitter, this one is closed")

    def _hold(self, batch: ProducerBatch, room: int, ordinal: int | None = None) -> None:
        self._waiting.add(batch, room, ordinal)
        self._watch(batch)

    def _watch(self, batch: ProducerBatch) -> None:
        batch.produce_future.add_callback(self._settled, batch)

    def _settled(self, batch: ProducerBatch, result: tuple[int, int, Callable[[int], Exception] | None]) -> None:
        """The producer's last word on a batch, by its thread or by the one that abandons it."""
        error_of = result[2]
        if error_of is None:
            self._waiting.remove(batch)
            return
        error = error_of(0)
        refused = batch.final_state is FinalState.FAILED and isinstance(error, _REFUSALS)
        with self._state:
            self.last_error = error
            if refused:
                self.failed += batch.record_count
            else:
                self._kept.append(batch)
            self._mend_soon()
        if refused:
            _log.error("%d measurements were refused by the broker: %r", batch.record_count, error)
            self._waiting.remove(batch)
        else:
            self._waiting.shrink(batch, batch.records.size_in_bytes() + _OVERHEAD)

    def _was_split(self, batch: ProducerBatch, parts: Iterable[ProducerBatch]) -> None:
        for part in self._waiting.replace(batch, parts, batch.records.size_in_bytes() + _OVERHEAD):
            self._watch(part)

    def _mend_soon(self) -> None:
        """Any failure makes this producer's sequence numbers useless: another one is to take over."""
        if self._mending is None and not self._ending.is_set():
            self._mending = threading.Thread(target=self._mend, name="measurements-again", daemon=True)
            self._mending.start()

    def _mend(self) -> None:
        while not self._ending.wait(_PAUSE_SECONDS):
            try:
                producer = self._connect(self._was_split)
            except BrokerError as error:
                _log.warning("measurements wait to be sent again: %s", error)
                continue
            with self._gate:
                if self._ending.is_set():
                    producer.abandon()
                    return
                self._producer.abandon()
                with self._state:
                    kept, self._kept, self._mending = self._kept, [], None
                self._producer = producer
                self._send_again(kept)
            return

    def _send_again(self, kept: Iterable[ProducerBatch]) -> None:
        """In the order in which they were begun, as far as it was not settled."""
        count = 0
        for ordinal, batch in sorted((self._waiting.ordinal(batch), batch) for batch in kept):
            partition = batch.topic_partition.partition
            for record in (record for part in MemoryRecords(batch.records.buffer()) for record in part):
                if not self._producer.append(partition, record.key, record.value, record.timestamp):
                    room = self._waiting.take_anyway(self._room(record.key, record.value))
                    self._hold(
                        self._producer.open(partition, record.key, record.value, record.timestamp), room, ordinal
                    )
                count += 1
            self._waiting.remove(batch)
        _log.warning("%d measurements are sent again, after %r", count, self.last_error)

    def flush(self, seconds: float) -> bool:
        """Wait until everything sent so far is acknowledged or refused; False when it is not in so many seconds."""
        return self._waiting.wait(seconds)

    def close(self, seconds: float) -> bool:
        """Take nothing more, flush, and let go of the connections whatever comes of it; as `flush`."""
        with self._gate:
            if self._closed:
                return True
            self._closed = True
        try:
            return self.flush(seconds)
        finally:
            self._ending.set()
            with self._gate:
                self._let_go(seconds)

    def _let_go(self, seconds: float) -> None:
        if self._waiting.count():
            self._producer.abandon()
            return
        try:
            self._producer.close(timeout=seconds)
        except KafkaError as error:
            raise BrokerError(f"the producer cannot be closed: {error!r}") from error
