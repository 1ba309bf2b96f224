from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.errors import LogError
from engine.runtime.memory_log import MemoryLog
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from engine.wire.batch import Batch


def filled(count: int = 10) -> MemoryLog:
    log = MemoryLog({"checkpoints": 1})
    log.append_now([Output("checkpoints", 0, Record(b"k%d" % (n % 3), b"%d" % n)) for n in range(count)])
    return log


def read(log: MemoryLog, offset: int, records_max: int = 5_000) -> Batch:
    batch = asyncio.run(log.read("checkpoints", 0, offset, records_max=records_max))
    assert batch is not None
    return batch


def test_offsets_without_records_are_passed_by_a_read() -> None:
    log = filled(3)
    log.skip("checkpoints", 0, 4)
    batch = read(log, 0)
    assert (batch.last_offset, batch.next_offset) == (2, 7)
    empty = read(log, 5)
    assert (empty.first_offset, empty.last_offset, empty.next_offset) == (5, 4, 7)
    log.append_now([Output("checkpoints", 0, Record(b"k", b"later"))])
    assert [record.offset for record in records(read(log, 3))] == [7]


def test_compaction_keeps_the_last_record_of_each_key_where_it_stood() -> None:
    log = filled()
    log.compact("checkpoints", 0)
    assert [(r.offset, r.key) for r in log.records("checkpoints", 0)] == [(7, b"k1"), (8, b"k2"), (9, b"k0")]
    assert [record.offset for record in records(read(log, 0, records_max=2))] == [7, 8]
    assert asyncio.run(log.end("checkpoints", 0)) == 10


def test_compaction_leaves_what_stands_above_its_bound() -> None:
    log = filled()
    log.compact("checkpoints", 0, below=5)
    assert [record.offset for record in log.records("checkpoints", 0)] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_deleted_keys_vanish_with_their_tombstones() -> None:
    log = filled(3)
    log.append_now([Output("checkpoints", 0, Record(b"k1", None))])
    log.compact("checkpoints", 0)
    assert [record.offset for record in log.records("checkpoints", 0)] == [0, 2, 3]
    log.compact("checkpoints", 0, tombstones=False)
    assert [record.offset for record in log.records("checkpoints", 0)] == [0, 2]


def test_records_below_the_start_are_refused() -> None:
    log = filled()
    log.lose_below("checkpoints", 0, 4)
    assert asyncio.run(log.start("checkpoints", 0)) == 4
    with pytest.raises(LogError, match="offset 3 was asked for, the log holds 4 to 10"):
        read(log, 3)
    assert [record.offset for record in records(read(log, 4, records_max=2))] == [4, 5]


def test_a_lost_end_is_written_again() -> None:
    log = filled()
    log.lose_from("checkpoints", 0, 6)
    assert log.append_now([Output("checkpoints", 0, Record(b"k", b"v"))]) == [(0, 6)]


def test_a_recreated_topic_has_another_identity_and_is_empty() -> None:
    log = filled()
    before = asyncio.run(log.identity("checkpoints"))
    log.recreate("checkpoints", 2)
    assert asyncio.run(log.identity("checkpoints")) != before
    assert asyncio.run(log.partitions("checkpoints")) == 2
    assert asyncio.run(log.end("checkpoints", 0)) == 0
