"""Whole record batches, as bytes, out of aiokafka: no Python object per record.

aiokafka makes records in one place, `PartitionRecords`, from the bytes of a fetch response. `RawConsumer` is an
AIOKafkaConsumer that hands the bytes on instead, for the topics that it is told: there `getmany` gives, for each
partition, a list of one `Batch`, and positions advance by whole batches. Every other topic is as ever.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.errors import OffsetOutOfRangeError

from engine.errors import LogError
from engine.runtime.frame_reader import FrameClient
from engine.wire.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

_LENGTH = Struct(">qi")  # base offset, length of what follows
_LAST_DELTA = Struct(">i")
_LAST_DELTA_AT = 23
_HEADER_SIZE = 61


def raw_batch(topic: str, partition: int, offset: int, fetched: bytes, aborted: Any) -> Batch | None:  # noqa: ANN401 - as aiokafka gives it
    """The whole record batches of a fetch response for `offset`, one `Batch`; None when there is not a whole one.

    `aborted`: None or (producer id, first offset) pairs. A record batch that is cut off at the end is left out.
    """
    end, last = 0, offset - 1
    for end, last in _whole_batches(fetched):  # noqa: B007 - both are wanted after the loop, for the last one
        pass
    if last < offset:
        return None
    data = fetched if end == len(fetched) else fetched[:end]
    return Batch(
        topic, partition, offset, last, last + 1, data, tuple((int(p), int(first)) for p, first in aborted or ())
    )


def shorten(batch: Batch, records_max: int) -> Batch:
    """The first `records_max` offsets that can hold a record, in the same bytes."""
    first = max(batch.first_offset, _LENGTH.unpack_from(batch.data)[0])
    last = first + records_max - 1
    return batch if last >= batch.last_offset else batch._replace(last_offset=last, next_offset=last + 1)


def evicted(topic: str, partition: int, offset: int, held: str = "does not hold it") -> LogError:
    """What is said of a position that the log does not have (any more)."""
    return LogError(
        f"{topic}[{partition}]: offset {offset} was asked for, the log {held}: records that were relied on are gone "
        "(retention, the embedded broker's 5 MB a partition, or a topic made anew); nothing is skipped. Start anew "
        "under another prefix, or send again what is missing"
    )


def _whole_batches(fetched: bytes) -> Iterator[tuple[int, int]]:
    """The place behind each whole record batch, and its last offset."""
    start, size = 0, len(fetched)
    while start + _HEADER_SIZE <= size:
        base, length = _LENGTH.unpack_from(fetched, start)
        end = start + _LENGTH.size + length
        if end > size:
            return
        yield end, base + _LAST_DELTA.unpack_from(fetched, start + _LAST_DELTA_AT)[0]
        start = end


class _RawRecords:
    """What aiokafka's `FetchResult` asks of its `PartitionRecords`, with one `Batch` for all the records.

    Assignment, pauses and positions stay with `FetchResult`, which looks at `next_fetch_offset` after each step.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch: Batch | None = batch
        self.next_fetch_offset = batch.first_offset

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        batch, self._batch = self._batch, None
        if batch is None:
            raise StopIteration
        self.next_fetch_offset = batch.next_offset
        return batch


class _Tap:
    """Passes everything on to the client, and keeps each response until the fetcher has dealt with it."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - aiokafka ships no types
        self._client = client
        self.responses: dict[int, Any] = {}

    async def send(self, node: int, request: Any, **options: Any) -> Any:  # noqa: ANN401 - the same
        response = await self._client.send(node, request, **options)
        self.responses[id(request)] = response
        return response

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the same
        return getattr(self._client, name)


class _RawFetcher(Fetcher):  # type: ignore[misc]  # the same
    """Replaces what was fetched of the raw topics before anything else runs on the event loop."""

    _is_raw: Callable[[str], bool]

    @classmethod
    def take_over(cls, fetcher: Fetcher, is_raw: Callable[[str], bool]) -> None:
        """Make a fetcher that was just made, and has not run, one of these."""
        fetcher.__class__ = cls
        fetcher._client = _Tap(fetcher._client)  # noqa: SLF001 - it is ours from here on
        fetcher._is_raw = is_raw  # noqa: SLF001 - the same

    async def _proc_fetch_request(self, assignment: Any, node_id: int, request: Any) -> bool:  # noqa: ANN401 - the same
        try:
            wake: bool = await super()._proc_fetch_request(assignment, node_id, request)
        finally:
            response = self._client.responses.pop(id(request), None)
        if response is not None and wake:
            for topic, partitions in response.topics:
                if self._is_raw(topic):
                    self._replace(topic, partitions, response.API_VERSION)
        return wake

    def _replace(self, topic: str, partitions: Any, version: int) -> None:  # noqa: ANN401 - the same
        for partition, _, _, *fetched in partitions:
            place = TopicPartition(topic, partition)
            found = self._records.get(place)
            if not isinstance(found, FetchResult) or isinstance(found._partition_records, _RawRecords):  # noqa: SLF001 - the one place
                continue
            offset: int = found._partition_records.next_fetch_offset  # noqa: SLF001 - the same
            batch = raw_batch(topic, partition, offset, fetched[-1], aborted_of(fetched, version))
            if batch is None:
                del self._records[place]
            else:
                found._partition_records = _RawRecords(batch)  # noqa: SLF001 - the same

    def _set_error(self, tp: TopicPartition, error: Exception) -> None:
        if isinstance(error, OffsetOutOfRangeError):
            error = evicted(tp.topic, tp.partition, error.args[0][tp])
        super()._set_error(tp, error)


def aborted_of(fetched: Any, version: int) -> Any:  # noqa: ANN401 - as the protocol's structures have it
    """The aborted transactions among what follows the high watermark in a fetch response of API `version` (4 up)."""
    return fetched[2] if version >= 11 else fetched[-2]  # noqa: PLR2004 - where the preferred replica came between


class RawConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """An AIOKafkaConsumer whose `getmany` gives a `Batch` a partition, for topics of which `is_raw` says so (or all).

    It never goes on at another place than asked: a position that the log does not have is a LogError from `getmany`.
    CRCs are not checked here; `wire.frames` does. `max_records` counts batches.
    """

    def __init__(self, *topics: str, is_raw: Callable[[str], bool] = lambda _: True, **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        self._raw_fetcher: Fetcher | None = None
        self._is_raw = is_raw
        super().__init__(*topics, **{"isolation_level": "read_committed", **options})
        FrameClient.take_over(self._client)

    @property
    def _fetcher(self) -> Fetcher | None:
        return self._raw_fetcher

    @_fetcher.setter
    def _fetcher(self, fetcher: Fetcher | None) -> None:
        """`start` sets it before it first awaits: from its first response on it is ours."""
        if fetcher is not None:
            _RawFetcher.take_over(fetcher, self._is_raw)
        self._raw_fetcher = fetcher
