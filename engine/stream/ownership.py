"""Which partitions are ours: acquired, recovered and given away as the group decides.

Faust's assignor is eager: each rebalance first takes every partition from every worker, then deals them out again. A
lane that comes back to the same worker keeps its work, which decides itself what it may keep of its state.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from engine.stream.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from faust.types import TP

ItemT = TypeVar("ItemT")

AT_ONCE_MAX = 8
"""Partitions that recover or settle at the same time. Most of that is waiting for answers; but each holds its pages and
what becomes of them in memory.
"""

_log = structlog.get_logger(__name__)


class Watcher(Protocol):
    """Is told which partitions come, are ready, and go."""

    def expect(self, tp: TP) -> None:
        """Given to us; recovering."""

    def recovered(self, tp: TP) -> None:
        """Ready."""

    def drop(self, tp: TP) -> None:
        """Went elsewhere."""


class Ownership:
    """The lanes of this worker. `make` gives a new lane for a partition.

    `settle_seconds`: how long last checkpoints may take before partitions are let go without; then the next owner has
    more to replay.
    """

    def __init__(self, make: Callable[[TP], Lane], watcher: Watcher, *, settle_seconds: float) -> None:
        self._make = make
        self._watcher = watcher
        self._settle_seconds = settle_seconds
        self._lanes: dict[TP, Lane] = {}
        self._recovering: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[Lane]:
        return iter([lane for lane in self._lanes.values() if lane.open])

    def __len__(self) -> int:
        return len(self._lanes)

    def every(self) -> list[Lane]:
        """Also those that are not open at the moment."""
        return list(self._lanes.values())

    def get(self, tp: TP) -> Lane | None:
        """The lane of a partition that is open; None for any other."""
        lane = self._lanes.get(tp)
        return lane if lane is not None and lane.open else None

    def positions(self) -> Mapping[TP, int]:
        """Where reading goes on, for each open lane."""
        return {lane.tp: lane.position for lane in self}

    async def acquire(self, assigned: Iterable[TP]) -> bool:
        """Recover what was assigned, drop what went elsewhere. False when the group took it back meanwhile."""
        self._drop(set(self._lanes) - set(assigned))
        task = self._recovering = asyncio.create_task(self._recover(sorted(assigned)))
        await asyncio.wait([task])
        if task.cancelled():
            return False
        task.result()
        return True

    async def release(self) -> None:
        """Stop work on every partition and settle. `acquire` recovers what comes back and drops the rest."""
        await self._stop_recovering()
        try:
            async with asyncio.timeout(self._settle_seconds):
                await _several(Lane.settle, list(self._lanes.values()))
        except TimeoutError:
            # What hangs keeps its old state to itself, under a term that nobody reads any more.
            _log.warning("last checkpoints were given up", after_seconds=self._settle_seconds)
            self.close()

    def close(self) -> None:
        """Drop every lane."""
        self._drop(set(self._lanes))

    async def _recover(self, assigned: list[TP]) -> None:
        waiting = set(assigned)

        async def recover(tp: TP) -> None:
            # Those that wait for their turn do not stand still.
            for each in waiting:
                self._watcher.expect(each)
            waiting.remove(tp)
            lane = self._lanes.get(tp)
            if lane is None:
                lane = self._lanes[tp] = self._make(tp)
            await lane.recover()
            self._watcher.recovered(tp)
            _log.info("partition recovered", topic=tp.topic, partition=tp.partition, offset=lane.position)

        await _several(recover, assigned)

    async def _stop_recovering(self) -> None:
        task, self._recovering = self._recovering, None
        if task is not None and not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _drop(self, tps: set[TP]) -> None:
        for tp in tps:
            self._watcher.drop(tp)
            lane = self._lanes.pop(tp)
            lane.open = False
            lane.work.close()


async def _several(work: Callable[[ItemT], Awaitable[None]], items: list[ItemT]) -> None:
    """Do it to all, `AT_ONCE_MAX` at a time. The first failure ends the others and is raised."""
    waiting = list(items)

    async def one_after_the_other() -> None:
        while waiting:
            await work(waiting.pop(0))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE_MAX):
                group.create_task(one_after_the_other())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
