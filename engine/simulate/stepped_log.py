"""A `Log` that stops at every operation, before and after, so that a scheduler can let anything happen in between.

An append is not one event: it goes to its partitions piece by piece, in order within each, in any order between them,
and may leave its beginning there twice.
"""

from __future__ import annotations

from types import coroutine
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from random import Random
    from typing import Protocol

    from engine.runtime.memory_log import MemoryLog
    from engine.runtime.ports import Output
    from engine.simulate.faults import Faults
    from engine.wire.batch import Batch

    class Watcher(Protocol):
        """Sees what becomes durable, at once; raises what it will not stand for."""

        def appended(self, output: Output, partition: int) -> None:
            """A record stands in the log."""

        def committed(self, topic: str, partition: int, offset: int) -> None:
            """An offset was committed."""


@coroutine
def pause(what: str) -> Generator[str, None, None]:
    """Hand control to whoever steps the coroutine; `what` says why."""
    yield what


class SteppedLog:
    """`MemoryLog` seen through faults by one worker. Every method may be left at a pause for ever.

    `fenced` tells whether the group would refuse a commit, as Kafka does to a member that it has counted out.
    """

    def __init__(
        self, log: MemoryLog, faults: Faults, rng: Random, watcher: Watcher, fenced: Callable[[], bool]
    ) -> None:
        self._log = log
        self._faults = faults
        self._rng = rng
        self._watcher = watcher
        self._fenced = fenced

    async def partitions(self, topic: str) -> int:
        """See `Log`."""
        return await self._log.partitions(topic)

    async def identity(self, topic: str) -> str:
        """See `Log`."""
        return await self._log.identity(topic)

    async def start(self, topic: str, partition: int) -> int:
        """See `Log`."""
        await pause("start")
        return await self._log.start(topic, partition)

    async def end(self, topic: str, partition: int) -> int:
        """See `Log`."""
        await pause("end")
        return await self._log.end(topic, partition)

    async def read(self, topic: str, partition: int, offset: int, *, records_max: int = 5_000) -> Batch | None:
        """See `Log`."""
        await pause("read")
        records_max = min(records_max, self._rng.randint(1, self._faults.records_max))
        return await self._log.read(topic, partition, offset, records_max=records_max)

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """See `Log`."""
        await pause("commit")
        if self._fenced():
            return
        self._watcher.committed(topic, partition, offset)
        await self._log.commit(topic, partition, offset)
        await pause("committed")

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """See `Log`."""
        await pause("append")
        waiting = self._waiting(outputs)
        positions: dict[int, tuple[int, int]] = {}
        while waiting:
            place = self._rng.choice(list(waiting))
            queue = waiting[place]
            count = self._rng.randint(1, len(queue))
            for index in queue[:count]:
                output = outputs[index]
                self._watcher.appended(output, place[1])
                [positions[index]] = self._log.append_now([output])
            waiting[place] = queue[count:]
            if not waiting[place]:
                del waiting[place]
            if self._rng.random() < self._faults.split:
                await pause("appending")
        await pause("appended")
        return [positions[index] for index in range(len(outputs))]

    def _waiting(self, outputs: Sequence[Output]) -> dict[tuple[str, int], list[int]]:
        """Which outputs go to which partition, in order, with the repeats that a retry leaves."""
        waiting: dict[tuple[str, int], list[int]] = {}
        for index, output in enumerate(outputs):
            waiting.setdefault((output.topic, self._log.place(output)), []).append(index)
        for place, queue in waiting.items():
            if self._rng.random() < self._faults.repeat:
                waiting[place] = queue[: self._rng.randint(1, len(queue))] + queue
        return waiting
