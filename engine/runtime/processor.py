"""Drives one stage on one partition of its input log, and binds its state to offsets.

Knows nothing of rules, of time or of who calls it; everything that it awaits is the log.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from engine import SEMANTICS_VERSION
from engine.errors import LogError, StateError
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.runtime.checkpoint import Checkpoints
from engine.runtime.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from engine.runtime.ports import Log, Stage
    from engine.wire.batch import Batch


class OffsetJumpError(LogError):
    """A batch begins after the position: what lies between was not delivered. Read again from `position`."""

    def __init__(self, place: Place, position: int, found: int) -> None:
        self.position = position
        super().__init__(
            f"{place}: a batch from offset {position} on was expected, found one from {found}: "
            f"read again from {position}"
        )


class Place(NamedTuple):
    """The input partition of a stage, and where its checkpoints stand."""

    topic: str
    partition: int
    checkpoint_partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


def stage_1_place(partition: int) -> Place:
    """Where stage 1 of a measurements partition lives."""
    return Place(MEASUREMENTS, partition, partition)


def stage_2_place(partition: int, measurement_partitions: int) -> Place:
    """Where stage 2 of a findings partition lives: its checkpoints stand after those of stage 1."""
    return Place(FINDINGS, partition, measurement_partitions + partition)


class Written(NamedTuple):
    """What a checkpoint wrote, for metrics."""

    offset: int
    pages: int
    bytes: int


class Processor:
    """One partition of one stage. Call `recover` first, then `process`, one batch at a time, and `checkpoint`, one at a
    time: the two may go on beside each other.

    After an exception or a cancellation within any of them only `recover` or `close` may follow. `start_at` is the
    offset to begin at where there is no manifest; None: the very first record, refused when that is gone.
    """

    def __init__(self, log: Log, place: Place, make_stage: Callable[[], Stage], *, start_at: int | None = None) -> None:
        self.place = place
        self.activation = -1
        """The highest number of the control topic that the input partition is known to hold."""
        self._log = log
        self._make_stage = make_stage
        self._start_at = start_at
        self._checkpoints = Checkpoints(log, place.checkpoint_partition)
        self._stage: Stage | None = None
        self._position = 0
        self._saved_position = -1
        self._torn = True
        self._unsaved = False
        """A checkpoint broke off: pages that count as written may not stand in the log; a new term writes them all."""
        self._identity = ""
        self._counts: dict[str, int] = {}

    @property
    def position(self) -> int:
        """The offset of the next record to take."""
        return self._position

    @property
    def ready(self) -> bool:
        """Whether the state is whole and belongs to `position`."""
        return not self._torn

    @property
    def stage(self) -> Stage:
        """The stage in its present state; StateError before `recover` and after `close`."""
        if self._stage is None:
            raise StateError(f"{self.place}: there is no state yet; call recover first")
        return self._stage

    async def recover(self) -> int:
        """Claim a new term and become the state of the newest manifest; returns the position to read from.

        The state at hand is kept only if nothing broke off in the middle of it and the newest manifest is the one
        written here. LogError and StateError name what makes a manifest unusable.
        """
        intact, written_here = not self._torn, self._checkpoints.newest
        self._torn = True
        recovered = await self._checkpoints.recover()
        await self._look_up()
        manifest = recovered.manifest if recovered else None
        if manifest is not None:
            await self._refuse(manifest)
        if intact and manifest is not None and (manifest.term, manifest.epoch) == written_here:
            self._torn = self._unsaved = False
            return self._position
        self.close()
        stage = self._make_stage()
        if recovered is None:
            self._position = await self._first_position()
        else:
            stage.restore(recovered.pages)
            self._position = self._saved_position = recovered.manifest.offset + 1
        self.activation = manifest.activation if manifest else -1
        self._stage = stage
        self._torn = self._unsaved = False
        return self._position

    async def process(self, batch: Batch) -> None:
        """Take what of the batch lies at or after the position, and wait until all that it says is acknowledged.

        OffsetJumpError when the batch begins later than that.
        """
        stage = self._ready()
        if batch.next_offset <= self._position:
            return
        if batch.first_offset > self._position:
            raise OffsetJumpError(self.place, self._position, batch.first_offset)
        if batch.first_offset < self._position:
            last = max(batch.last_offset, self._position - 1)
            batch = batch._replace(first_offset=self._position, last_offset=last)
        self._torn = True
        outputs = stage.apply(batch)
        if outputs:
            await self._log.append(outputs)
        self._position = batch.next_offset
        self._torn = False

    async def checkpoint(self, alone: AbstractAsyncContextManager[object] | None = None) -> Written | None:
        """Bind the present state to the position: pages, then the manifest, then the commit, then the sweep.

        Only while `alone` is held, which is for as long as the pages take to copy, nothing may be in `process`: all
        that was put out up to the position is acknowledged then. What is processed later belongs to the next
        checkpoint. None when there is nothing new since this term's last. A term's first is written in any case:
        without a manifest of its own a term does not keep a paused predecessor, who never wrote one either, from being
        read after it.
        """
        try:
            return await self._checkpoint(alone or nullcontext())
        except BaseException:
            self._unsaved = True
            raise

    async def _checkpoint(self, alone: AbstractAsyncContextManager[object]) -> Written | None:
        await self._checkpoints.hold()
        async with alone:
            stage, position = self._ready(), self._position
            if self._checkpoints.manifest_written and position == self._saved_position:
                return None
            pages = stage.dirty_pages() if self._checkpoints.manifest_written else stage.all_pages()
            manifest = self._manifest(stage)
        await self._checkpoints.write(manifest, pages)
        await self._log.commit(self.place.topic, self.place.partition, position)
        self._saved_position = position
        await self._checkpoints.sweep()
        return Written(position - 1, len(pages), sum(map(len, pages.values())))

    def close(self) -> None:
        """Let go of the state, and of what it holds outside."""
        self._torn = True
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    def _ready(self) -> Stage:
        if self._torn or self._unsaved:
            raise StateError(f"{self.place}: the state was left in the middle of something; call recover first")
        return self.stage

    def _manifest(self, stage: Stage) -> Manifest:
        return Manifest(
            term=-1,
            epoch=-1,
            offset=self._position - 1,
            rule_set=stage.rule_set_hash,
            semantics=SEMANTICS_VERSION,
            identity=self._identity,
            counts=self._counts,
            activation=self.activation,
            pages=(),
        )

    async def _look_up(self) -> None:
        self._identity = await self._log.identity(self.place.topic)
        self._counts = {topic: await self._log.partitions(topic) for topic in (MEASUREMENTS, FINDINGS)}

    async def _first_position(self) -> int:
        start = await self._log.start(self.place.topic, self.place.partition)
        wanted = 0 if self._start_at is None else self._start_at
        if start > wanted:
            raise LogError(
                f"{self.place}: there is no manifest, and records below {start} are gone: "
                f"say where to begin, at {start} or later"
            )
        return wanted

    async def _refuse(self, manifest: Manifest) -> None:
        """Raise when the manifest belongs to another log or another engine than those at hand."""
        if manifest.semantics != SEMANTICS_VERSION:
            raise StateError(
                f"{self.place}: semantics version {SEMANTICS_VERSION} was expected in the manifest, "
                f"found {manifest.semantics}: run the engine that wrote it"
            )
        if manifest.identity != self._identity:
            raise LogError(
                f"{self.place}: the manifest is of {manifest.identity}, found {self._identity}: a recreated topic; "
                "to begin anew take another prefix, or delete and make all own topics, findings included"
            )
        if manifest.counts != self._counts:
            raise LogError(
                f"{self.place}: partition counts {manifest.counts} were expected, found {self._counts}: "
                "the partition count of a running installation cannot be changed"
            )
        await self._refuse_lost(manifest.offset + 1)

    async def _refuse_lost(self, position: int) -> None:
        start = await self._log.start(self.place.topic, self.place.partition)
        end = await self._log.end(self.place.topic, self.place.partition)
        if position > end:
            raise LogError(
                f"{self.place}: the manifest stands at {position}, beyond the log's end {end}: "
                "records that the state has seen are gone"
            )
        if position < start:
            raise LogError(
                f"{self.place}: the manifest stands at {position}, the log begins at {start}: "
                "records were lost to retention before they were read"
            )
