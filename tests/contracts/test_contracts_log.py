"""What every `Log` keeps to: the one in memory, on the embedded broker and on a real Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import LogError
from engine.runtime.ports import Output
from engine.wire.batch import LogRecord, Record
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.runtime.ports import Log

    Run = Callable[[Callable[[Log], Awaitable[None]]], None]


def numbered(count: int, topic: str = "measurements", partition: int = 0) -> list[Output]:
    return [Output(topic, partition, Record(b"k%d" % i, b"value %d" % i, (("h", b"%d" % i),))) for i in range(count)]


async def read_all(log: Log, topic: str, partition: int, records_max: int = 5_000) -> list[LogRecord]:
    found, offset = list[LogRecord](), await log.start(topic, partition)
    while (batch := await log.read(topic, partition, offset, records_max=records_max)) is not None:
        assert (batch.topic, batch.partition, batch.first_offset) == (topic, partition, offset)
        assert batch.next_offset > batch.last_offset >= batch.first_offset - 1
        in_batch = list(records(batch))
        assert len(in_batch) <= records_max
        assert all(offset <= record.offset <= batch.last_offset for record in in_batch)
        found += in_batch
        offset = batch.next_offset
    assert offset == await log.end(topic, partition)
    return found


def contents(found: list[LogRecord]) -> list[Record]:
    return [Record(record.key, record.value, tuple(record.headers)) for record in found]


def test_what_is_appended_is_read_back_in_order_with_its_headers(with_log: Run) -> None:
    async def use(log: Log) -> None:
        outputs = numbered(300)
        assert await log.append(outputs) == [(0, offset) for offset in range(300)]
        found = await read_all(log, "measurements", 0)
        assert [record.offset for record in found] == list(range(300))
        assert contents(found) == [output.record for output in outputs]

    with_log(use)


@pytest.mark.parametrize("records_max", [1, 7, 5_000])
def test_the_same_records_come_however_reads_are_cut(with_log: Run, records_max: int) -> None:
    async def use(log: Log) -> None:
        for first in range(0, 60, 20):
            await log.append(numbered(60)[first : first + 20])
        found = await read_all(log, "measurements", 0, records_max)
        assert contents(found) == [output.record for output in numbered(60)]

    with_log(use)


def test_a_read_may_begin_within_an_append(with_log: Run) -> None:
    async def use(log: Log) -> None:
        await log.append(numbered(30))
        batch = await log.read("measurements", 0, 11, records_max=5)
        assert batch is not None
        assert [record.offset for record in records(batch)] == [11, 12, 13, 14, 15]
        assert (batch.first_offset, batch.last_offset, batch.next_offset) == (11, 15, 16)

    with_log(use)


def test_absent_and_empty_keys_and_values_stay_apart(with_log: Run) -> None:
    async def use(log: Log) -> None:
        written = [Record(None, b"v"), Record(b"k", None), Record(b"k", b""), Record(b"", b"v")]
        await log.append([Output("findings", 1, record) for record in written])
        assert contents(await read_all(log, "findings", 1)) == written

    with_log(use)


def test_a_record_without_a_partition_goes_to_the_owner_of_its_key(with_log: Run) -> None:
    async def use(log: Log) -> None:
        outputs = [Output("findings", None, Record(b"key-%d" % i, b"x")) for i in range(40)]
        placed = await log.append(outputs)
        assert [partition for partition, _ in placed] == [owner(output.record.key or b"", 3) for output in outputs]

    with_log(use)


def test_a_record_with_neither_key_nor_partition_is_refused(with_log: Run) -> None:
    async def use(log: Log) -> None:
        with pytest.raises(ValueError, match="a key or a partition"):
            await log.append([Output("findings", None, Record(None, b"x"))])

    with_log(use)


def test_one_append_may_go_to_many_topics_and_partitions(with_log: Run) -> None:
    async def use(log: Log) -> None:
        mixed = [output for i in range(10) for output in (numbered(10)[i], numbered(10, "findings", 2)[i])]
        placed = await log.append(mixed)
        assert placed == [(partition, i) for i in range(10) for partition in (0, 2)]
        assert contents(await read_all(log, "findings", 2)) == [output.record for output in numbered(10)]

    with_log(use)


def test_pages_of_half_a_megabyte_are_kept(with_log: Run) -> None:
    async def use(log: Log) -> None:
        pages = [Record(b"page-%d" % i, bytes([i]) * 500_000) for i in range(3)]
        await log.append([Output("checkpoints", 5, page) for page in pages])
        assert contents(await read_all(log, "checkpoints", 5)) == pages

    with_log(use)


def test_nothing_appended_is_nothing_changed(with_log: Run) -> None:
    async def use(log: Log) -> None:
        assert await log.append([]) == []
        assert (await log.start("control", 0), await log.end("control", 0)) == (0, 0)
        assert await log.read("control", 0, 0) is None

    with_log(use)


def test_the_end_reads_as_nothing_yet_and_beyond_it_is_refused(with_log: Run) -> None:
    async def use(log: Log) -> None:
        await log.append(numbered(3))
        assert await log.read("measurements", 0, 3) is None
        with pytest.raises(LogError, match="offset 4 was asked for, the log holds 0 to 3"):
            await log.read("measurements", 0, 4)

    with_log(use)


def test_topics_and_partitions_that_are_not_there_are_refused(with_log: Run) -> None:
    async def use(log: Log) -> None:
        assert await log.partitions("findings") == 3
        with pytest.raises(LogError, match="no partition 3"):
            await log.read("findings", 3, 0)
        with pytest.raises(LogError, match="there is no topic"):
            await log.partitions("nonsense")
        with pytest.raises(LogError, match="there is no topic"):
            await log.identity("nonsense")

    with_log(use)


def test_topics_have_identities_that_stay(with_log: Run) -> None:
    async def use(log: Log) -> None:
        assert await log.identity("measurements") == await log.identity("measurements")
        assert await log.identity("measurements") != await log.identity("findings")

    with_log(use)


def test_a_commit_is_taken(with_log: Run) -> None:
    async def use(log: Log) -> None:
        await log.append(numbered(10))
        await log.commit("measurements", 0, 7)
        await log.commit("measurements", 0, 10)

    with_log(use)
