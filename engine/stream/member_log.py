"""The worker's log: everything as the inner log does it, except that offsets are committed as a member of the group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from faust.types import TP

from engine.model.topics import full_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.runtime.ports import Log, Output
    from engine.stream.consumer import BatchConsumer
    from engine.wire.batch import Batch

_log = structlog.get_logger(__name__)


class MemberLog:
    """A `Log`. A group with members takes commits from these only; `consumer` is set before the first commit.

    `appended` is told what was written.
    """

    def __init__(self, inner: Log, prefix: str, appended: Callable[[Sequence[Output]], None]) -> None:
        self._inner = inner
        self._prefix = prefix
        self._appended = appended
        self.consumer: BatchConsumer | None = None

    async def partitions(self, topic: str) -> int:
        """See `Log`."""
        return await self._inner.partitions(topic)

    async def identity(self, topic: str) -> str:
        """See `Log`."""
        return await self._inner.identity(topic)

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """See `Log`."""
        places = await self._inner.append(outputs)
        self._appended(outputs)
        return places

    async def read(self, topic: str, partition: int, offset: int, *, records_max: int = 5_000) -> Batch | None:
        """See `Log`."""
        return await self._inner.read(topic, partition, offset, records_max=records_max)

    async def start(self, topic: str, partition: int) -> int:
        """See `Log`."""
        return await self._inner.start(topic, partition)

    async def end(self, topic: str, partition: int) -> int:
        """See `Log`."""
        return await self._inner.end(topic, partition)

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """Commit as a member. Where the group has moved on, the next owner commits: recovery does not read it."""
        tp = TP(full_name(self._prefix, topic), partition)
        if self.consumer is not None and not await self.consumer.commit_offset(tp, offset):
            _log.warning("offset not committed: the group has moved on", topic=tp.topic, partition=partition)
