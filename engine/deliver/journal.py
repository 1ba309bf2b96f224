"""Writes to the notification log, and sees that nobody else does.

A worker that has claimed a term is the only writer of the one partition, so its records follow each other without a
gap. A gap means that somebody else has written: the records in it are read, and a claim among them ends this worker
before it sends anything more. Writes that come at once go out together.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from engine.deliver.records import CLAIM_KEY, Claim, is_request
from engine.errors import LogError
from engine.model.topics import DELIVERIES
from engine.runtime.ports import Output
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runtime.ports import Log
    from engine.wire.batch import LogRecord, Record

AT_ONCE_BYTES = 4_000_000


class TakenOverError(LogError):
    """Another worker has claimed the notification log: this one may deliver nothing more."""


class Journal:
    """`term` is the offset of this worker's claim, `following` the offset that its next record should get."""

    def __init__(self, log: Log, term: int) -> None:
        self.term = term
        self.requests: list[LogRecord] = []
        """What was asked of this worker and is not taken up yet."""
        self._log = log
        self._following = term + 1
        self._queue: list[tuple[Sequence[Record], asyncio.Future[list[int]]]] = []
        self._busy = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def write(self, written: Sequence[Record]) -> list[int]:
        """Append all, in order; returns their offsets when they are acknowledged and this worker is still in charge.

        TakenOverError when it is not; BrokerError when the log cannot be written: then nothing may be sent either.
        """
        if self._failure is not None:
            raise self._failure  # what came after a write that failed would stand there without it
        future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._queue.append((written, future))
        if self._flushing is None or self._flushing.done():
            # A task of its own: whoever waits for his write may be cancelled, the others' must go on.
            self._flushing = asyncio.create_task(self._flush())
        return await future

    async def look(self) -> None:
        """Read what others have written meanwhile; TakenOverError when one of them has claimed the log."""
        async with self._busy:
            end = await self._log.end(DELIVERIES, 0)
            await self._examine(end, frozenset())
            self._following = max(self._following, end)

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)

    async def _flush(self) -> None:
        while self._queue:
            async with self._busy:
                taken = self._take()
                try:
                    offsets = await self._append([record for written, _ in taken for record in written])
                except BaseException as error:  # noqa: BLE001 - told to all who wait, and to whoever comes later
                    self._failure = error
                    for _, future in [*taken, *self._queue]:
                        if not future.done():
                            future.set_exception(error)
                    self._queue = []
                    return
            for written, future in taken:
                mine, offsets = offsets[: len(written)], offsets[len(written) :]
                if not future.done():
                    future.set_result(mine)

    def _take(self) -> list[tuple[Sequence[Record], asyncio.Future[list[int]]]]:
        """So many of those that wait as one request may hold; at least one."""
        count = size = 0
        for written, _ in self._queue:
            size += sum(len(record.value or b"") for record in written)
            if count and size > AT_ONCE_BYTES:
                break
            count += 1
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    async def _append(self, written: Sequence[Record]) -> list[int]:
        if not written:
            return []
        places = await self._log.append([Output(DELIVERIES, 0, record) for record in written])
        offsets = [offset for _, offset in places]
        await self._examine(offsets[-1] + 1, frozenset(offsets))
        self._following = offsets[-1] + 1
        return offsets

    async def _examine(self, end: int, mine: frozenset[int]) -> None:
        """Look at the records from where the next of ours was expected up to `end` that are not `mine`."""
        at = self._following
        if end - at == len(mine):
            return
        while at < end and (batch := await self._log.read(DELIVERIES, 0, at)) is not None:
            for record in records(batch):
                if record.offset < end and record.offset not in mine:
                    self._examine_one(record)
            at = batch.next_offset

    def _examine_one(self, record: LogRecord) -> None:
        if is_request(record.key) and record.value is not None:
            self.requests.append(record)
        elif record.key == CLAIM_KEY and record.value is not None:
            claim = msgspec.json.decode(record.value, type=Claim)
            if not claim.left:
                raise TakenOverError(
                    f"{DELIVERIES}: expected this worker alone to deliver, the worker {claim.worker!r} has taken over "
                    f"at {claim.time}; it delivers what this one had not: nothing is to be done, unless both have "
                    "the same group_instance_id"
                )
