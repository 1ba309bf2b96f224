"""The `Log` of the runtime on a Kafka broker, real or embedded.

Library: aiokafka's client and producer, because Faust brings it along and the worker runs on asyncio; reading asks the
broker directly (`FetchRequest`), so that there is neither a position nor a prefetch to keep in step with ours.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from engine.errors import BrokerError, LogError
from engine.model.time import MILLISECOND
from engine.model.topics import CHECKPOINTS, full_name
from engine.runtime.kafka_requests import EARLIEST, LATEST, Requests
from engine.runtime.raw_records import evicted, raw_batch, shorten
from engine.runtime.topic_identity import TopicIdentities
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType
    from typing import Self

    from engine.model.time import Micros
    from engine.runtime.ports import Output
    from engine.wire.batch import Batch

    Commit = Callable[[str, int, int], Awaitable[None]]

_MESSAGE_BYTES_MAX = 8 * 1024 * 1024


class KafkaLog:
    """The own topics under `prefix` at `bootstrap`; an async context manager (or `connect` and `close`).

    `commit` is how an offset is committed, by full topic name, partition and offset: a member of a group passes its
    consumer's, because a broker refuses others while there are members. Without it the log commits on its own.
    """

    def __init__(self, bootstrap: str, prefix: str, *, group: str | None = None, commit: Commit | None = None) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._group = group if group is not None else full_name(prefix, "worker")
        self._commit = commit
        self._identities = TopicIdentities(bootstrap)
        self._counts: dict[str, int] = {}
        self._requests = Requests(bootstrap)
        self._producer: Any = None
        self._page_producer: Any = None
        self._committer: Any = None

    async def connect(self) -> None:
        """Connect. BrokerError when nobody answers."""
        self._producer, self._page_producer = self._make_producer(), self._make_producer()
        try:
            await asyncio.gather(self._requests.connect(), self._producer.start(), self._page_producer.start())
        except KafkaError as error:
            await self.close()
            raise BrokerError(f"expected a Kafka broker at {self._bootstrap}, it cannot be used: {error}") from error

    def _make_producer(self) -> Any:  # noqa: ANN401 - aiokafka ships no types
        # Snappy costs little; aiokafka compresses by lz4 at its level 9, 20 MB/s, on the event loop.
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            compression_type="snappy",
            max_batch_size=256 * 1024,
            max_request_size=_MESSAGE_BYTES_MAX,
        )

    async def close(self) -> None:
        """Let go of all connections; what was appended is acknowledged already."""
        for each in (self._committer, self._producer, self._page_producer):
            if each is not None:
                await each.stop()
        await self._requests.close()
        self._producer = self._page_producer = self._committer = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def partitions(self, topic: str) -> int:
        """See `Log`."""
        found = await self._identities.of(full_name(self._prefix, topic))
        self._counts[topic] = found.partitions
        return found.partitions

    async def identity(self, topic: str) -> str:
        """See `Log`. Made of cluster id and topic id."""
        return str(await self._identities.of(full_name(self._prefix, topic)))

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """See `Log`."""
        try:
            sent = [await self._send(output) for output in outputs]
            places = await asyncio.gather(*sent)
        except KafkaError as error:
            raise BrokerError(f"an append of {len(outputs)} records was not acknowledged: {error!r}") from error
        return [(place.partition, place.offset) for place in places]

    async def _send(self, output: Output) -> asyncio.Future[Any]:
        """Hand a record to the producer, which keeps the order within a partition."""
        record = output.record
        # aiokafka has one request at a time on its way to a broker: pages would keep findings waiting.
        producer = self._page_producer if output.topic == CHECKPOINTS else self._producer
        sent: asyncio.Future[Any] = await producer.send(
            full_name(self._prefix, output.topic),
            value=record.value,
            key=record.key,
            partition=await self._place(output),
            headers=list(record.headers),
        )
        return sent

    async def _place(self, output: Output) -> int:
        if output.partition is not None:
            await self._name(output.topic, output.partition)
            return output.partition
        if output.record.key is None:
            raise ValueError(f"a record for {output.topic} needs a key or a partition, it has neither")
        return owner(output.record.key, await self._count(output.topic))

    async def _count(self, topic: str) -> int:
        """The partition count as first seen: where it changes, everything is refused at the next start."""
        return self._counts[topic] if topic in self._counts else await self.partitions(topic)

    async def _name(self, topic: str, partition: int) -> str:
        """The topic's full name; LogError when it has no such partition."""
        count = await self._count(topic)
        if not 0 <= partition < count:
            raise LogError(f"{topic} has {count} partitions, there is no partition {partition}")
        return full_name(self._prefix, topic)

    async def read(self, topic: str, partition: int, offset: int, *, records_max: int = 5_000) -> Batch | None:
        """See `Log`. The batch's bytes may hold more than `records_max`; its offsets say what counts."""
        name = await self._name(topic, partition)
        if (fetched := await self._requests.fetch(name, partition, offset)) is None:
            held = f"holds {await self.start(topic, partition)} to {await self.end(topic, partition)}"
            raise evicted(name, partition, offset, held)
        batch = raw_batch(topic, partition, offset, *fetched)
        return None if batch is None else shorten(batch, records_max)

    async def start(self, topic: str, partition: int) -> int:
        """See `Log`."""
        return await self._requests.offset(await self._name(topic, partition), partition, EARLIEST)

    async def end(self, topic: str, partition: int) -> int:
        """See `Log`. What stands in a transaction that is still open does not count."""
        return await self._requests.offset(await self._name(topic, partition), partition, LATEST)

    async def offset_at(self, topic: str, partition: int, time: Micros) -> int:
        """The offset of the first record that the broker took at or after `time`; the end when there is none."""
        found = await self._requests.offset(await self._name(topic, partition), partition, time // MILLISECOND)
        return found if found >= 0 else await self.end(topic, partition)

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """See `Log`. BrokerError when it is refused."""
        name = await self._name(topic, partition)
        if self._commit is not None:
            await self._commit(name, partition, offset)
            return
        place = TopicPartition(name, partition)
        try:
            if self._committer is None:
                self._committer = AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap, group_id=self._group, enable_auto_commit=False
                )
                await self._committer.start()
            self._committer.assign([place])
            await self._committer.commit({place: offset})
        except KafkaError as error:
            raise BrokerError(
                f"{name}[{partition}]: offset {offset} cannot be committed for group {self._group}, which perhaps has "
                f"members that alone may: {error!r}"
            ) from error
