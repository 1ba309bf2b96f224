"""A stage at work on its partition: a `Processor` that is acquired, fed, and checkpointed in turn with the others."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from engine.runtime.acquire import acquire
from engine.runtime.processor import Processor
from engine.stream.cpu_time import CpuTimed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from engine.model.records import Tick
    from engine.model.time import Micros
    from engine.runtime.cadence import Cadence
    from engine.runtime.ports import Log, Stage
    from engine.runtime.processor import Place, Written
    from engine.wire.batch import Batch

    Counts = Mapping[str | tuple[str, ...], int]


class Observer(Protocol):
    """Is told what happens, for metrics and for the watchdog; must not raise."""

    def batch_done(self, place: Place, stage: Stage, batch: Batch, counts: Counts, duration: Micros) -> None:
        """A batch was processed and all that it said is acknowledged; `counts` are what the stage has counted in it."""

    def checkpoint_done(self, place: Place, written: Written, duration: Micros, cpu: Micros) -> None:
        """A checkpoint was written and committed; `cpu` is what that used of the event loop's thread."""

    def recovered(self, place: Place, duration: Micros) -> None:
        """A partition was acquired and is ready."""

    def left(self, place: Place) -> None:
        """A partition went elsewhere."""


class StageWork:
    """The work of one lane.

    `first_position` finds the offset to begin at where there is no manifest; `present` gives the tick of this moment,
    None in `replay`; `clock` reads microseconds that never go back.
    """

    def __init__(
        self,
        log: Log,
        place: Place,
        make_stage: Callable[[], Stage],
        *,
        first_position: Callable[[Place], Awaitable[int | None]],
        present: Callable[[], Tick | None],
        cadence: Cadence[Place],
        clock: Callable[[], Micros],
        observer: Observer,
    ) -> None:
        self.place = place
        self._log = log
        self._make_stage = make_stage
        self._first_position = first_position
        self._present = present
        self._cadence = cadence
        self._clock = clock
        self._observer = observer
        self._processor: Processor | None = None
        self._totals: Counts = {}

    @property
    def processor(self) -> Processor | None:
        """The processor, once it was made."""
        return self._processor

    @property
    def stage(self) -> Stage | None:
        """The stage, where it has its state."""
        return self._processor.stage if self._processor is not None and self._processor.ready else None

    async def recover(self) -> int:
        """Acquire the partition: claim, load, and write what its input must hold before anything else."""
        began = self._clock()
        if self._processor is None:
            start_at = await self._first_position(self.place)
            self._processor = Processor(self._log, self.place, self._make_stage, start_at=start_at)
        position = await acquire(self._log, self._processor, self._present())
        self._cadence.joined(self.place)
        self._totals = _totals(self._processor.stage)
        # Without a manifest this pins where the first start began: `latest` means another place after a crash.
        await self._checkpoint()
        self._observer.recovered(self.place, self._clock() - began)
        return position

    async def process(self, batch: Batch) -> None:
        """Give the batch to the stage; everything that it says is acknowledged afterwards."""
        began = self._clock()
        await self._ready.process(batch._replace(topic=self.place.topic))
        duration = self._clock() - began
        self._cadence.worked(self.place, duration)
        self._observer.batch_done(self.place, self._ready.stage, batch, self._counted(), duration)

    async def tend(self, alone: AbstractAsyncContextManager[object]) -> None:
        """Write a checkpoint when it is this partition's turn."""
        if self._cadence.due(self._clock()) == self.place:
            await self._checkpoint(alone)

    async def settle(self) -> None:
        """Write a last checkpoint: whoever comes next has nothing to replay."""
        await self._checkpoint()

    def close(self) -> None:
        """Let the state go."""
        self._cadence.left(self.place)
        self._observer.left(self.place)
        if self._processor is not None:
            self._processor.close()

    @property
    def _ready(self) -> Processor:
        if self._processor is None:
            raise RuntimeError(f"{self.place} was not recovered yet")
        return self._processor

    def _counted(self) -> Counts:
        """What the stage has counted since the last call, where it is anything; a stage need not count."""
        before, self._totals = self._totals, _totals(self._ready.stage)
        return {
            name: number - before.get(name, 0) for name, number in self._totals.items() if number != before.get(name, 0)
        }

    async def _checkpoint(self, alone: AbstractAsyncContextManager[object] | None = None) -> None:
        began = self._clock()
        checkpoint = CpuTimed(self._ready.checkpoint(self._copying(alone or nullcontext())))
        written = await checkpoint
        now = self._clock()
        # Not the time that it took: one that waited for a broker would ask for an hour's rest.
        self._cadence.written(self.place, now, checkpoint.used)
        if written is not None:
            self._observer.checkpoint_done(self.place, written, now - began, checkpoint.used)

    @asynccontextmanager
    async def _copying(self, alone: AbstractAsyncContextManager[object]) -> AsyncIterator[None]:
        async with alone:
            yield
            self._cadence.copied(self.place)


def _totals(stage: Stage) -> Counts:
    """What a stage has counted since it was made; one need not count."""
    return dict(getattr(stage, "counters", None) or getattr(stage, "counts", {}))
