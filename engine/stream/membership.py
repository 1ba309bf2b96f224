"""Faust's side of a worker: in the group, batches go to their lanes, partitions come and go as the group decides."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from faust.types import TP

from engine.stream.app import add_agent, make_app

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from engine.runtime.settings import Settings
    from engine.stream.consumer import BatchConsumer
    from engine.stream.lane import Lane
    from engine.stream.ownership import Ownership
    from engine.stream.supervision import Supervisor
    from engine.wire.batch import Batch

_log = structlog.get_logger(__name__)


class Membership:
    """`serve` says what is read and who works on it; then `run`, and `leave` at the end.

    `refresh` is awaited before partitions are acquired.
    """

    def __init__(self, settings: Settings, supervisor: Supervisor, refresh: Callable[[], Awaitable[None]]) -> None:
        self._supervisor = supervisor
        self._refresh = refresh
        self._app = make_app(
            settings.group,
            settings.brokers,
            session_timeout=settings.session_timeout,
            group_instance_id=settings.group_instance_id,
        )
        self._app.failed = self._app.batches.failed = supervisor.fail
        self._at_work: set[asyncio.Task[None]] = set()

    @property
    def consumer(self) -> BatchConsumer:
        """What reads and commits."""
        return self._app.batches

    def serve(self, ownership: Ownership, topics: Iterable[str]) -> None:
        """Read `topics` (full names) for the lanes of `ownership`."""
        self._ownership = ownership
        self.consumer.positions = ownership.positions
        self._app.on_partitions_revoked.connect(self._revoked)
        self._app.on_rebalance_complete.connect(self._assigned)
        for topic in topics:
            add_agent(self._app, topic, self._take)

    async def run(self) -> None:
        """Join the group, and work until `leave`."""
        await self._app.start()

    def suspend(self) -> None:
        """Fetch nothing more; stay in the group."""
        self._app.flow_control.suspend()
        self.consumer.stop_flow()

    async def leave(self, seconds: float) -> None:
        """Leave the group, or give it up after so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._app.stop(), seconds)
        for task in self._at_work:
            task.cancel()
        # Faust keeps the receivers of all apps in one place, for ever.
        self._app.on_partitions_revoked.disconnect(self._revoked)
        self._app.on_rebalance_complete.disconnect(self._assigned)

    async def _take(self, batch: Batch) -> None:
        """Give it to its lane, and go on: a partition that waits for acknowledgements holds up no other."""
        lane = self._ownership.get(TP(batch.topic, batch.partition))
        if lane is None or self._supervisor.failure is not None:
            return
        await lane.room.acquire()
        task = asyncio.create_task(self._work(lane, batch))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _work(self, lane: Lane, batch: Batch) -> None:
        try:
            again = await lane.take(batch) if self._supervisor.failure is None else None
            if again is not None:
                _log.warning("offsets jumped, sought again", topic=batch.topic, partition=batch.partition, offset=again)
                await self.consumer.seek_all({lane.tp: again})
        except Exception as error:  # noqa: BLE001 (the supervising point: Faust would drop the batch and go on)
            self._supervisor.fail(error)
        finally:
            lane.room.release()

    async def _revoked(self, *_args: object, **_options: object) -> None:
        await self._supervisor.guard(self._ownership.release())

    async def _assigned(self, *_args: object, **_options: object) -> None:
        if not self._supervisor.stopping:
            await self._supervisor.guard(self._acquire())

    async def _acquire(self) -> None:
        await self._refresh()
        if await self._ownership.acquire(self.consumer.assignment()):
            await self.consumer.perform_seek()
