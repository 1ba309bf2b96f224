"""One owned partition: what works on it, and where its reading goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from engine.errors import LogError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from faust.types import TP

    from engine.wire.batch import Batch

WAITING_MAX = 2
"""Batches that a lane has at hand: one in work, one that waits for it."""
SEEKS_MAX = 5
"""How often a jump at one position is sought again before it counts as lost records."""


class Work(Protocol):
    """What is done with the batches of one partition. Every method may be cancelled at any await."""

    async def recover(self) -> int:
        """Become ready; the offset to read from. Called after every acquisition."""

    async def process(self, batch: Batch) -> None:
        """Take the next batch."""

    async def tend(self, alone: AbstractAsyncContextManager[object]) -> None:
        """Called again and again, beside `process`: checkpoint when it is time. While `alone` is held nothing is in
        `process`.
        """

    async def settle(self) -> None:
        """Before the partition is given away or the worker ends: make what was done last."""

    def close(self) -> None:
        """The partition went elsewhere: give back what is held."""


class Lane:
    """Hands batches to the work, in order and without a gap, while the partition is ours.

    `contiguous` False: a foreign topic, where compaction may have left gaps.
    """

    def __init__(self, tp: TP, work: Work, *, contiguous: bool = True) -> None:
        self.tp = tp
        self.work = work
        self._contiguous = contiguous
        self.position = 0
        self.open = False
        """Whether batches may be taken: recovered, and not given away."""
        self._broken = False
        self._turn = asyncio.Lock()
        self._tended = asyncio.Lock()
        self.room = asyncio.Semaphore(WAITING_MAX)
        """Whoever calls `take` holds a place here meanwhile."""
        self._sought = (0, 0)

    async def recover(self) -> None:
        """Make it ready; batches may be taken from then on."""
        self.position = await self.work.recover()
        self._broken = False
        self.open = True

    async def take(self, batch: Batch) -> int | None:
        """Work on a batch. What was taken before is passed over; an offset to seek to where records are missing."""
        async with self._turn:
            if not self.open or self._broken or batch.next_offset <= self.position:
                return None
            first = _first_record(batch)
            if batch.first_offset > self.position or (self._contiguous and first > self.position):
                return self._seek_again(first)
            if batch.first_offset != self.position:
                batch = batch._replace(first_offset=self.position)
            # Broken unless it ends well: nothing may pass a batch that failed.
            self._broken = True
            await self.work.process(batch)
            self._broken = False
            self.position = batch.next_offset
            return None

    async def tend(self) -> None:
        """Let the work checkpoint, while it takes batches."""
        async with self._tended:
            if self.open and not self._broken:
                await self.work.tend(self._turn)

    async def settle(self) -> None:
        """Take no further batch; wait for the one in work, and for a checkpoint; write what was done last."""
        was_open, self.open = self.open, False
        async with self._tended, self._turn:
            if was_open and not self._broken:
                await self.work.settle()

    def _seek_again(self, first: int) -> int:
        position, count = self._sought
        count = count + 1 if position == self.position else 1
        self._sought = (self.position, count)
        if count > SEEKS_MAX:
            raise LogError(
                f"{self.tp.topic}[{self.tp.partition}]: expected the record at offset {self.position}, the broker "
                f"gives {first} however often it is asked; the records between are lost. Keep records longer than a "
                "worker's lag"
            )
        return self.position


def _first_record(batch: Batch) -> int:
    """Where the batch really begins: at its first record batch, when that lies above where it was to be read."""
    base = int.from_bytes(batch.data[:8], "big") if batch.data else batch.first_offset
    return max(base, batch.first_offset)
