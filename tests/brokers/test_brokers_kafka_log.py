from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from engine.brokers.topics import TopicAdmin, plan
from engine.errors import BrokerError, LogError
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.ports import Output
from engine.runtime.raw_records import RawConsumer
from engine.wire.batch import Record
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker
    from tests.brokers.conftest import Place


def numbered(count: int, topic: str = "measurements", partition: int = 0) -> list[Output]:
    return [Output(topic, partition, Record(b"k%d" % i, b"value %d" % i, (("h", b"%d" % i),))) for i in range(count)]


def run(place: Place, use: Callable[[KafkaLog], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with KafkaLog(place.bootstrap, place.prefix) as log:
            await use(log)

    asyncio.run(whole())


def test_what_is_appended_is_read_back_in_order_with_its_headers(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        assert await log.append(numbered(300)) == [(0, offset) for offset in range(300)]
        batch = await log.read("measurements", 0, 0)
        assert batch is not None
        read = list(records(batch))
        assert [Record(r.key, r.value, tuple(r.headers)) for r in read] == [o.record for o in numbered(300)]
        assert [r.offset for r in read] == list(range(300))
        assert batch.next_offset == 300

    run(place, use)


def test_a_record_without_a_partition_goes_to_the_owner_of_its_key(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        outputs = [Output("findings", None, Record(b"key-%d" % i, b"x")) for i in range(20)]
        placed = await log.append(outputs)
        assert [partition for partition, _ in placed] == [owner(o.record.key or b"", 2) for o in outputs]

    run(place, use)


def test_a_read_takes_up_where_the_last_one_left_off(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append(numbered(50))
        offset, seen = 0, list[int]()
        while (batch := await log.read("measurements", 0, offset, records_max=7)) is not None:
            found = [record.offset for record in records(batch)]
            assert len(found) <= 7
            seen += found
            offset = batch.next_offset
        assert seen == list(range(50))

    run(place, use)


def test_the_end_of_an_empty_partition_reads_as_nothing_yet(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        assert (await log.start("control", 0), await log.end("control", 0)) == (0, 0)
        assert await log.read("control", 0, 0) is None

    run(place, use)


def test_an_offset_beyond_the_end_is_refused(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append(numbered(3))
        with pytest.raises(LogError, match="offset 4 was asked for, the log holds 0 to 3"):
            await log.read("measurements", 0, 4)

    run(place, use)


def test_topics_and_partitions_that_are_not_there_are_refused(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        with pytest.raises(LogError, match="no partition 2"):
            await log.read("findings", 2, 0)
        with pytest.raises(LogError, match="there is no topic"):
            await log.partitions("nonsense")

    run(place, use)


def test_a_commit_is_what_the_group_has(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append(numbered(10))
        await log.commit("measurements", 0, 7)
        await log.commit("measurements", 0, 9)
        consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap, group_id=f"{place.prefix}.worker")
        await consumer.start()
        assert await consumer.committed(TopicPartition(f"{place.prefix}.measurements", 0)) == 9
        await consumer.stop()

    run(place, use)


def test_an_injected_commit_is_used(place: Place) -> None:
    seen = []

    async def commit(topic: str, partition: int, offset: int) -> None:
        seen.append((topic, partition, offset))

    async def whole() -> None:
        async with KafkaLog(place.bootstrap, place.prefix, commit=commit) as log:
            await log.commit("measurements", 0, 7)

    asyncio.run(whole())
    assert seen == [(f"{place.prefix}.measurements", 0, 7)]


@pytest.mark.kafka
def test_a_topic_made_anew_has_another_identity(kafka: KafkaBroker, prefix: str) -> None:
    async def identity() -> str:
        async with KafkaLog(kafka.bootstrap, prefix) as log:
            return await log.identity("measurements")

    admin = TopicAdmin(kafka.bootstrap)
    admin.create(plan(prefix, 1))
    before = asyncio.run(identity())
    assert asyncio.run(identity()) == before
    admin.delete(plan(prefix, 1))
    admin.create(plan(prefix, 1))
    assert asyncio.run(identity()) != before


def test_records_that_the_embedded_broker_dropped_are_refused_by_name(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({"a.measurements": 1})

    async def whole() -> None:
        async with KafkaLog(embedded.bootstrap, "a") as log:
            producer = AIOKafkaProducer(bootstrap_servers=embedded.bootstrap)
            await producer.start()
            for _ in range(60):
                await producer.send_and_wait("a.measurements", b"x" * 100_000)
            await producer.stop()
            assert await log.start("measurements", 0) > 0
            with pytest.raises(LogError, match="records that were relied on are gone"):
                await log.read("measurements", 0, 0)

    asyncio.run(whole())


def test_a_broker_that_is_not_there_is_named() -> None:
    async def whole() -> None:
        async with KafkaLog("127.0.0.1:1", "a"):
            pass

    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        asyncio.run(whole())


async def batches(consumer: RawConsumer, until: int) -> AsyncIterator[object]:
    reached = 0
    while reached < until:
        for got in (await consumer.getmany(timeout_ms=500)).values():
            for batch in got:
                yield batch
                reached = batch.next_offset


def test_a_raw_consumer_hands_out_every_record_once_in_batches_of_bytes(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        for _ in range(5):
            await log.append(numbered(100))
        consumer = RawConsumer(
            f"{place.prefix}.measurements",
            bootstrap_servers=place.bootstrap,
            group_id="raw",
            group_instance_id="one",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        offsets = [record.offset async for batch in batches(consumer, 500) for record in records(batch)]
        assert offsets == list(range(500))
        assert await consumer.position(TopicPartition(f"{place.prefix}.measurements", 0)) == 500
        await consumer.stop()

    run(place, use)


def test_a_raw_consumer_goes_on_in_the_middle_of_a_record_batch(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append(numbered(100))
        consumer = RawConsumer(bootstrap_servers=place.bootstrap, auto_offset_reset="none")
        await consumer.start()
        partition = TopicPartition(f"{place.prefix}.measurements", 0)
        consumer.assign([partition])
        consumer.seek(partition, 42)
        offsets = [record.offset async for batch in batches(consumer, 100) for record in records(batch)]
        assert offsets == list(range(42, 100))
        await consumer.stop()

    run(place, use)


def test_a_raw_consumer_leaves_other_topics_as_they_are(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append([*numbered(3), *numbered(3, "control")])
        raw = f"{place.prefix}.measurements"
        consumer = RawConsumer(bootstrap_servers=place.bootstrap, is_raw=raw.__eq__, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([TopicPartition(raw, 0), TopicPartition(f"{place.prefix}.control", 0)])
        seen = dict[str, list[object]]()
        while len(seen) < 2:
            for partition, got in (await consumer.getmany(timeout_ms=500)).items():
                seen.setdefault(partition.topic, []).extend(got)
        assert [batch.last_offset for batch in seen[raw]] == [2]
        assert [record.offset for record in seen[f"{place.prefix}.control"]] == [0, 1, 2]
        await consumer.stop()

    run(place, use)


def test_a_raw_consumer_names_a_position_that_the_log_does_not_have(place: Place) -> None:
    async def use(log: KafkaLog) -> None:
        await log.append(numbered(3))
        consumer = RawConsumer(bootstrap_servers=place.bootstrap, auto_offset_reset="none")
        await consumer.start()
        partition = TopicPartition(f"{place.prefix}.measurements", 0)
        consumer.assign([partition])
        consumer.seek(partition, 1_000)
        with pytest.raises(LogError, match="offset 1000"):
            await consumer.getmany(timeout_ms=5_000)
        await consumer.stop()

    run(place, use)


@pytest.mark.kafka
def test_an_aborted_transaction_leaves_a_gap_that_is_read_over(kafka: KafkaBroker, prefix: str) -> None:
    TopicAdmin(kafka.bootstrap).create(plan(prefix, 1))
    topic = f"{prefix}.measurements"

    async def whole() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=prefix)
        await producer.start()
        for word, fate in ((b"one", "commit"), (b"two", "abort"), (b"three", "commit")):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, word, partition=0)
            await getattr(producer, f"{fate}_transaction")()
        await producer.stop()
        async with KafkaLog(kafka.bootstrap, prefix) as log:
            batch = await log.read("measurements", 0, 0)
            assert batch is not None
            assert [record.value for record in records(batch)] == [b"one", b"three"]
            assert batch.next_offset == await log.end("measurements", 0) == 6

    asyncio.run(whole())
