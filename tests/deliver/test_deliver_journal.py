"""The journal: what is written at once goes out together and in order, and nothing after a write that failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from deliver_world import memory_log

from engine.deliver.journal import Journal, TakenOverError
from engine.deliver.records import CLAIM_KEY, Claim
from engine.errors import BrokerError
from engine.model.topics import DELIVERIES
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runtime.memory_log import MemoryLog


class Troubled:
    """A log that counts its appends, and does not acknowledge the one that `fails` counts down to."""

    def __init__(self, log: MemoryLog, fails: int = -1) -> None:
        self._log, self.fails, self.appends = log, fails, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        await asyncio.sleep(0)
        self.appends += 1
        if self.appends == self.fails:
            raise BrokerError("not acknowledged")
        return self._log.append_now(outputs)


def claim(log: MemoryLog, worker: str) -> int:
    made = Record(CLAIM_KEY, encode_record(Claim(worker, "2026-01-31T10:00:00Z")))
    [(_, offset)] = log.append_now([Output(DELIVERIES, 0, made)])
    return offset


def record(number: int) -> Record:
    return Record(b"0/alive", b"%d" % number)


def written(log: MemoryLog) -> list[int]:
    return [int(each.value or b"-1") for each in log.records(DELIVERIES, 0) if each.key == b"0/alive"]


def test_writes_that_come_at_once_go_out_together_and_in_order():
    log = memory_log()
    troubled = Troubled(log)
    journal = Journal(troubled, claim(log, "one"))  # type: ignore[arg-type]

    async def play() -> list[list[int]]:
        return await asyncio.gather(*(journal.write([record(number), record(number)]) for number in range(50)))

    offsets = asyncio.run(play())
    assert written(log) == [number for number in range(50) for _ in range(2)]
    assert [each for pair in offsets for each in pair] == list(range(1, 101))
    assert troubled.appends <= 2


def test_nothing_is_written_after_a_write_that_failed():
    log = memory_log()
    journal = Journal(Troubled(log, fails=2), claim(log, "one"))  # type: ignore[arg-type]

    async def play() -> None:
        await journal.write([record(1)])
        for number in (2, 3):
            with pytest.raises(BrokerError):
                await journal.write([record(number)])

    asyncio.run(play())
    assert written(log) == [1]


def test_who_no_longer_waits_for_his_write_takes_nobody_with_him():
    log = memory_log()
    journal = Journal(Troubled(log), claim(log, "one"))  # type: ignore[arg-type]

    async def play() -> None:
        first = asyncio.create_task(journal.write([record(1)]))
        second = asyncio.create_task(journal.write([record(2)]))
        await asyncio.sleep(0)
        first.cancel()
        await second

    asyncio.run(play())
    assert written(log) == [1, 2]


def test_a_claim_of_another_is_seen_by_the_next_write_and_by_a_look():
    for look in (True, False):
        log = memory_log()
        journal = Journal(log, claim(log, "one"))
        claim(log, "two")

        async def play(journal: Journal = journal, *, look: bool = look) -> None:
            await (journal.look() if look else journal.write([record(1)]))

        with pytest.raises(TakenOverError, match="'two' has taken over"):
            asyncio.run(play())
