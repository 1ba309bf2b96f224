"""An aiokafka consumer that hands over a partition's record batches as the bytes they came in, one `Batch` per fetch.

aiokafka makes Python objects of records in `PartitionRecords`, and keeps the bytes where Python cannot reach them. Its
`Fetcher._proc_fetch_request` looks both classes up by name; here the same code runs with two other classes under these
names, so that nothing is copied from the library and nothing in it is patched.
"""

from __future__ import annotations

from struct import unpack_from
from types import FunctionType
from typing import TYPE_CHECKING, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords

from engine.errors import BrokerError
from engine.wire.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import TopicPartition

_OVERHEAD = 12
"""Base offset and length: what stands before the bytes that the length counts."""
_HEADER = 61
_MAGIC_AT = 16
_LAST_DELTA_AT = 23
_MAGIC = 2


class KeptBytes:
    """Stands in for `MemoryRecords`: whether anything whole is in the bytes, and the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._records = MemoryRecords(data)

    def has_next(self) -> bool:
        """Whether at least one whole record batch is there."""
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        """Length of all that came, a cut batch at the end included."""
        return len(self.data)


class PartitionBytes:
    """Stands in for `PartitionRecords`: an iterator of exactly one `Batch`, all that a fetch brought of a partition."""

    def __init__(
        self,
        tp: TopicPartition,
        records: KeptBytes,
        aborted_transactions: Sequence[tuple[int, int]] | None,
        fetch_offset: int,
        *_rest: object,
    ) -> None:
        self._tp = tp
        self._data = records.data
        self._aborted = tuple((int(producer), int(first)) for producer, first in aborted_transactions or ())
        self._done = False
        self.next_fetch_offset = fetch_offset

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self._done:
            raise StopIteration
        self._done = True
        first = self.next_fetch_offset
        length, following = whole_batches(self._data)
        self.next_fetch_offset = max(first, following)
        data = self._data if length == len(self._data) else self._data[:length]
        return Batch(self._tp.topic, self._tp.partition, first, following - 1, following, data, self._aborted)


def whole_batches(data: bytes) -> tuple[int, int]:
    """Length of the whole record batches at the start of `data`, and the offset after their last record.

    A broker cuts the last batch anywhere. BrokerError for a message format before v2.
    """
    position, following = 0, 0
    while len(data) - position >= _HEADER:
        base, size = unpack_from(">qi", data, position)
        end = position + _OVERHEAD + size
        if end > len(data):
            break
        if data[position + _MAGIC_AT] != _MAGIC:
            raise BrokerError(
                f"a record batch at offset {base} has message format {data[position + _MAGIC_AT]}, expected 2 (Kafka "
                "0.11 and newer); rewrite the topic with a current producer"
            )
        (last_delta,) = unpack_from(">i", data, position + _LAST_DELTA_AT)
        position, following = end, base + last_delta + 1
    return position, following


class RawFetcher(fetcher.Fetcher):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's fetcher with the bytes kept."""

    _proc_fetch_request = FunctionType(
        fetcher.Fetcher._proc_fetch_request.__code__,  # noqa: SLF001 (the one place where bytes become objects)
        {**vars(fetcher), "MemoryRecords": KeptBytes, "PartitionRecords": PartitionBytes},
        "_proc_fetch_request",
    )


class RawConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """`getmany` gives a list of one `Batch` per partition; topics in it are full names.

    Subscribe or assign after `start`, not before: what was fetched before could not be handed over as bytes.
    """

    async def start(self) -> None:
        """Connect, as the base class does."""
        if self._subscription.subscription is not None:
            raise BrokerError("a RawConsumer is subscribed or assigned after its start, it was before")
        await super().start()
        self._fetcher.__class__ = RawFetcher
