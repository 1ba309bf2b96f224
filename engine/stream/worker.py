"""The live worker: puts the pieces together, starts them, and is the one point where failures end up.

Whatever goes wrong in an agent, a task or Faust itself comes to `_fail`; the worker then stops and raises it. Nothing
is acknowledged and dropped.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from faust.types import TP

from engine.errors import EngineError
from engine.model.time import SECOND
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.runtime.context import StageContext
from engine.stream.activation import RuleSetFollower
from engine.stream.app import add_agent, make_app
from engine.stream.beginning import Beginning, require_beginning
from engine.stream.clocks import steady_clock, wall_clock
from engine.stream.ingest import MarkWriter, sources_by_topic
from engine.stream.lane_maker import LaneMaker, Stages
from engine.stream.member_log import MemberLog
from engine.stream.observing import Observing
from engine.stream.ownership import Ownership
from engine.stream.progress import Progress
from engine.stream.stage_work import StageWork
from engine.stream.ticks import TickWriter

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from engine.model.records import Tick
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log
    from engine.runtime.processor import Place, Processor
    from engine.runtime.settings import Settings
    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics
    from engine.wire.batch import Batch

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often progress is looked at."""
TEND_SECONDS = 0.1
"""How often checkpoints are thought of."""
SETTLE_SHARE, LEAVE_SHARE = 0.6, 0.3
"""Of the time to drain in: for last checkpoints, and for Faust to leave the group, when all that matters is written."""


class Worker:
    """One member of the group. `run` until `stop` is called or something fails; `reload` changes the rules meanwhile.

    `log` is open and stays open; `rule_set` is what the files say.
    """

    def __init__(
        self,
        settings: Settings,
        log: Log,
        rule_set: RuleSet,
        stages: Stages,
        *,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._rule_set = rule_set
        self._stages = stages
        self._health = health
        self._metrics = metrics
        self._observing = Observing(metrics)
        self._log = MemberLog(log, settings.prefix, self._observing.appended)
        self._sources = frozenset(sources_by_topic(rule_set))
        self._ticks = TickWriter(self._log, self._stage_places, interval=settings.tick_interval, wall=wall_clock)
        self._follower = RuleSetFollower(self._log, self._processors)
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[BaseException] = self._loop.create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Join, work, and drain when asked to. Raises what made it fail."""
        await self._prepare()
        self._make_app()
        try:
            self._start()
            await self._until_told()
            await self._drain()
        finally:
            await self._end()
        if self._failure.done():
            raise self._failure.result()

    def stop(self) -> None:
        """Drain and end: batches in work are finished, checkpointed and committed."""
        self._health.drain()
        self._stopping.set()

    async def reload(self, rule_set: RuleSet) -> bool:
        """Store and request another set. False when it is the one that runs already."""
        if not await self._follower.reload(rule_set, self._from_tick()):
            return False
        self._rule_set = rule_set
        unread = sorted(set(sources_by_topic(rule_set)) - self._sources)
        if unread:
            _log.warning("topics of new sources are read after a restart", topics=unread)
        return True

    # Starting and ending.

    async def _prepare(self) -> None:
        await require_beginning(self._log, self._settings.prefix, self._settings.start_at)
        await self._follower.begin(self._rule_set, self._from_tick())
        self._metrics.show_rule_set(self._rule_set.hash)
        settings = self._settings
        self._context = StageContext(
            rule_sets=self._follower.stored,
            first_rule_set=self._follower.first,
            measurement_partitions=await self._log.partitions(MEASUREMENTS),
            finding_partitions=await self._log.partitions(FINDINGS),
            domain=settings.domain,
            notify_within=settings.notify_within if settings.domain == "live" else None,
            future_max=settings.future_max,
            limits=settings.engine_limits,
        )

    def _make_app(self) -> None:
        settings = self._settings
        app = self._app = make_app(
            settings.group,
            settings.brokers,
            session_timeout=settings.session_timeout,
            group_instance_id=settings.group_instance_id,
        )
        app.failed = self._fail
        self._log.consumer = app.batches
        self._progress = Progress(
            self._health,
            self._metrics,
            end_seen=app.batches.end_seen,
            clock=steady_clock,
            timeout=settings.progress_timeout,
        )
        self._ownership = Ownership(
            self._lane_maker().make, self._progress, settle_seconds=SETTLE_SHARE * settings.drain_timeout / SECOND
        )
        app.batches.positions = self._ownership.positions
        app.batches.failed = self._fail
        app.on_partitions_revoked.connect(self._revoked)
        app.on_rebalance_complete.connect(self._assigned)
        for topic in (full_name(settings.prefix, MEASUREMENTS), full_name(settings.prefix, FINDINGS), *self._sources):
            add_agent(app, topic, self._take)

    def _lane_maker(self) -> LaneMaker:
        settings, consumer = self._settings, self._app.batches
        return LaneMaker(
            settings,
            self._context,
            self._stages,
            log=self._log,
            consumer=consumer,
            beginning=Beginning(self._log, consumer, settings.prefix, settings.start_at),
            foreign=self._sources,
            rules=self._rules,
            present=self._present,
            observing=self._observing,
            metrics=self._metrics,
        )

    def _start(self) -> None:
        self._run(self._app.start())
        self._run(self._look())
        self._run(self._tend())
        self._run(self._follower.run())
        if self._settings.domain == "live":
            self._writers.append(self._run(self._ticks.run()))
            if self._sources:
                self._writers.append(self._run(self._marks().run()))

    async def _until_told(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        waiting: set[asyncio.Future[Any]] = {stopping, self._failure}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _drain(self) -> None:
        """Stop fetching, finish the batch in work, checkpoint, commit."""
        self._stopping.set()
        for task in self._writers:
            task.cancel()
        self._app.flow_control.suspend()
        self._app.batches.stop_flow()
        if not self._failure.done():
            try:
                await self._ownership.release()
            except EngineError as error:
                self._fail(error)

    async def _end(self) -> None:
        self._stopping.set()
        for task in self._tasks[1:]:
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._app.stop(), LEAVE_SHARE * self._settings.drain_timeout / SECOND)
        self._tasks[0].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Faust keeps the receivers of all apps in one place, for ever.
        self._app.on_partitions_revoked.disconnect(self._revoked)
        self._app.on_rebalance_complete.disconnect(self._assigned)
        self._ownership.close()

    def _run(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._supervised(work))
        self._tasks.append(task)
        return task

    async def _supervised(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 (the supervising point: the worker ends and raises it)
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Note the first failure. May be called from the consumer's thread."""
        self._loop.call_soon_threadsafe(self._note, error)

    def _note(self, error: BaseException) -> None:
        if not self._failure.done() and not (self._stopping.is_set() and not isinstance(error, EngineError)):
            _log.error("the worker fails", error=str(error), kind=type(error).__name__)
            self._failure.set_result(error)

    # What Faust calls.

    async def _take(self, batch: Batch) -> None:
        lane = self._ownership.get(TP(batch.topic, batch.partition))
        if lane is None or self._failure.done():
            return
        try:
            again = await lane.take(batch)
            if again is not None:
                _log.warning("offsets jumped, sought again", topic=batch.topic, partition=batch.partition, offset=again)
                await self._app.batches.seek_all({lane.tp: again})
        except Exception as error:  # noqa: BLE001 (the supervising point: Faust would drop the batch and go on)
            self._fail(error)

    async def _revoked(self, *_args: object, **_options: object) -> None:
        await self._supervised(self._ownership.release())

    async def _assigned(self, *_args: object, **_options: object) -> None:
        if not self._stopping.is_set():
            await self._supervised(self._acquire())

    async def _acquire(self) -> None:
        await self._follower.refresh()
        if await self._ownership.acquire(self._app.batches.assignment()):
            await self._app.batches.perform_seek()

    # What goes on beside it.

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._progress.look(self._ownership)

    async def _tend(self) -> None:
        # Apart from `_look`: a checkpoint that hangs must not keep the worker from noticing.
        while True:
            await asyncio.sleep(TEND_SECONDS)
            for lane in self._ownership:
                await lane.tend()

    def _marks(self) -> MarkWriter:
        return MarkWriter(
            self._log,
            self._app.batches,
            self._rules,
            self._sources,
            lambda: [lane.tp for lane in self._ownership],
            present=self._ticks.present,
            wait=self._ticks.until_next,
        )

    def _rules(self) -> RuleSet:
        return self._rule_set

    def _present(self) -> Tick | None:
        return self._ticks.present() if self._settings.domain == "live" else None

    def _from_tick(self) -> int:
        """A tick that no partition has seen yet, with time for every owner to pass the request on."""
        return self._ticks.present().number + 2 if self._settings.domain == "live" else 0

    def _works(self) -> Iterator[StageWork]:
        return (lane.work for lane in self._ownership if isinstance(lane.work, StageWork))

    def _stage_places(self) -> list[Place]:
        return [work.place for work in self._works()]

    def _processors(self) -> list[Processor]:
        return [work.processor for work in self._works() if work.processor is not None]
