"""Faust's aiokafka transport, changed so that what a fetch brings of a topic is one event: a `Batch` a partition.

What Faust does per message is switched off where it is wrong for batches: acks, gaps, read offsets, commits, and the
pressure valve that puts a full consumer to sleep for a second. Positions are ours: after a rebalance the consumer seeks
where the processors say, and what is committed comes from their checkpoints alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
    credentials_to_aiokafka_auth,
    server_list,
)
from faust.types import TP, ConsumerMessage

from engine.errors import BrokerError, EngineError
from engine.runtime.raw_records import RawConsumer

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from aiokafka import AIOKafkaConsumer

    from engine.wire.batch import Batch

    Fetched = tuple[Batch, ...]
    """What one fetch brought of one topic: at most one batch a partition."""

FETCH_WAIT_MS = 100
"""How long a broker may hold a fetch that finds nothing: a partition that gets records meanwhile waits as long."""
FETCH_SECONDS = 1.0
"""How long the consumer's thread waits for records before it looks round."""
FETCH_BYTES = 4 * 1024 * 1024
"""The most of one partition in one batch."""
FETCH_BYTES_MAX = 4 * FETCH_BYTES
"""The most of all partitions of a broker in one fetch; a few of them wait at a time."""


class _NothingRead(dict[TP, int | None]):
    """Faust drops what lies below the offset that it read last; sought-again records do. It remembers none here."""

    def __missing__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: int | None) -> None:
        pass


class BatchConsumerThread(AIOKafkaConsumerThread):
    """Makes the consumer that hands over bytes; runs it in a thread of its own, heartbeats included."""

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        conf = self.app.conf
        return RawConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            # Faust would resume at the first record kept and say nothing of those lost.
            auto_offset_reset="none",
            max_poll_records=None,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    _ahead: tuple[int, concurrent.futures.Future[Any]] | None = None
    """The fetch under way, and the generation of the group that it belongs to."""

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 (Faust's own signature)
        """What was fetched while the last was delivered: a `Fetched` for each topic, under one of its partitions.

        The next fetch is on its way when this returns.
        """
        generation, ahead = self._ahead or (None, None)
        if ahead is None or generation != self.app.consumer_generation_id:
            # After a rebalance every position is sought anew: what was fetched before it is fetched again.
            ahead = self._fetch_ahead(active_partitions, timeout)
        self._ahead = None
        records = await asyncio.wrap_future(ahead)
        self._ahead = self.app.consumer_generation_id, self._fetch_ahead(active_partitions, timeout)
        return _by_topic(records)

    def _fetch_ahead(self, active_partitions: set[TP] | None, timeout: float) -> concurrent.futures.Future[Any]:
        """Not through Faust's queue of calls, which takes two more hops, and of whose workers a rebalance holds one."""
        consumer = self._ensure_consumer()
        return asyncio.run_coroutine_threadsafe(
            self._fetch_records(consumer, active_partitions, timeout=timeout), self.thread_loop
        )

    async def on_thread_stop(self) -> None:
        """Faust's call before the consumer stops."""
        if self._ahead is not None:
            self._ahead[1].cancel()
        await super().on_thread_stop()

    async def _fetch_records(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 (Faust's own signature)
        """What was fetched; nothing where partitions have just been dealt out and are not sought yet.

        A fetch that waits while partitions are taken away ends with those that come next: the set of partitions that it
        was given is emptied meanwhile, and none means all.
        """
        generation = self.app.consumer_generation_id
        try:
            return await super()._fetch_records(*args, **options)
        except NoOffsetForPartitionError:
            return {}
        except EngineError:
            if not self.consumer.flow_active or self.app.consumer_generation_id != generation:
                return {}
            raise

    async def run(self, work: Callable[[AIOKafkaConsumer], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 (whatever `work` returns)
        """Await `work(consumer)` in the consumer's thread.

        Not through Faust's queue of calls: one of its two workers waits in a fetch, a rebalance may hold the other.
        """
        future = asyncio.run_coroutine_threadsafe(work(self._ensure_consumer()), self.thread_loop)
        return await asyncio.wrap_future(future)


class BatchConsumer(Consumer):
    """Positions by the callable `positions` of the app; no acks, no gaps, no commits of its own."""

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Faust's own signature)
        super().__init__(*args, **kwargs)
        self._read_offset = _NothingRead()
        self.positions: Callable[[], Mapping[TP, int]] = dict
        self.failed: Callable[[BaseException], None] = lambda _error: None

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:  # noqa: ANN401 (a Fetched, where Faust has a record)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            0,
            0.0,
            0,
            None,
            None,
            record,
            None,
            0,
            0,
            tp,
            # Without it the stream skips the message in silence.
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Go to where each partition's processor goes on; Faust calls it when a rebalance is done."""
        await self.seek_all(self.positions())

    async def seek_all(self, positions: Mapping[TP, int]) -> None:
        """Seek those of the partitions that are still ours; what was fetched ahead from elsewhere is thrown away."""
        await self._thread.run(lambda consumer: _seek(consumer, positions))

    async def commit_offset(self, tp: TP, offset: int) -> bool:
        """Commit for operators to see. False where the group has moved on: the partition's next owner commits."""
        return cast("bool", await self._thread.run(lambda consumer: _commit(consumer, tp, offset)))

    async def committed_offset(self, tp: TP) -> int | None:
        """What the group has committed for a partition, whoever owns it; None when nothing."""
        partition = TopicPartition(tp.topic, tp.partition)
        return cast("int | None", await self._thread.run(lambda consumer: consumer.committed(partition)))

    async def bounds(self, tps: Iterable[TP]) -> dict[TP, tuple[int, int]]:
        """First offset kept and end of each partition."""
        partitions = [TopicPartition(tp.topic, tp.partition) for tp in tps]
        return cast("dict[TP, tuple[int, int]]", await self._thread.run(lambda consumer: _bounds(consumer, partitions)))

    async def partitions_of(self, topic: str) -> list[TP]:
        """Every partition of a topic that we read, whoever owns it."""
        found = await self._thread.run(lambda consumer: _partitions(consumer, topic))
        return [TP(topic, partition) for partition in sorted(found)]

    async def offset_at(self, tp: TP, timestamp_ms: int) -> int | None:
        """The first record that is not older than that; None when there is none."""
        partition = TopicPartition(tp.topic, tp.partition)
        found = await self._thread.run(lambda consumer: consumer.offsets_for_times({partition: timestamp_ms}))
        return found[partition].offset if found[partition] is not None else None

    def end_seen(self, tp: TP) -> int | None:
        """The partition's end as the last fetch told it; None before the first."""
        try:
            return cast("int | None", self._thread._ensure_consumer().highwater(tp))  # noqa: SLF001 (Faust has no other way)
        except IllegalStateError:
            return None

    # What follows is Faust's bookkeeping per message, wrong for batches.

    def on_buffer_full(self, tp: TP) -> None:
        """A full buffer blocks the consumer by itself; Faust's way would sleep a second with every partition full."""

    def on_buffer_drop(self, tp: TP) -> None:
        """See `on_buffer_full`."""

    def ack(self, message: Any) -> bool:  # noqa: ANN401 (Faust's own signature)
        """Nothing is acknowledged: a checkpoint says what is done."""
        message.acked = True
        return False

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch is not a gap."""

    def _new_offset(self, tp: TP) -> int | None:  # noqa: ARG002 (Faust's own signature)
        """Faust never commits."""
        return None

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock log; our own watchdog ends the process instead."""

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 (Faust's own signature)
        """Faust's loop, without the two tasks that it makes for every message."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # noqa: SLF001 (as Faust does)
                await asyncio.sleep(0)
                async for _, message in self.getmany(timeout=FETCH_SECONDS):
                    await self.callback(message)
        except EngineError as error:
            self.failed(error)
        except KafkaError as error:
            self.failed(BrokerError(f"reading from the broker failed: {error!r}"))
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise


class BatchTransport(Transport):
    """Faust's transport with the batch consumer."""

    Consumer = BatchConsumer


def _by_topic(records: Mapping[TP, list[Batch]]) -> dict[TP, list[Fetched]]:
    """One event a topic, not one a partition: what Faust does for an event costs as much as a small batch itself."""
    topics: dict[str, list[Batch]] = {}
    for batches in records.values():
        for batch in batches:
            topics.setdefault(batch.topic, []).append(batch)
    return {TP(topic, batches[0].partition): [tuple(batches)] for topic, batches in topics.items()}


async def _seek(consumer: AIOKafkaConsumer, positions: Mapping[TP, int]) -> None:
    for tp in consumer.assignment() & positions.keys():
        consumer.seek(TopicPartition(tp.topic, tp.partition), positions[cast("TP", tp)])


async def _commit(consumer: AIOKafkaConsumer, tp: TP, offset: int) -> bool:
    partition = TopicPartition(tp.topic, tp.partition)
    if partition not in consumer.assignment():
        return False
    try:
        await consumer.commit({partition: OffsetAndMetadata(offset, "")})
    except (KafkaError, IllegalStateError):
        return False
    return True


async def _bounds(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, tuple[int, int]]:
    starts = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    return {partition: (starts[partition], ends[partition]) for partition in partitions}


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    return consumer.partitions_for_topic(topic) or set()
