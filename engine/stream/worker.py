"""The live worker: puts the pieces together, starts them, and ends them in order.

Whatever goes wrong comes to its `Supervisor`; the worker then stops and raises it. Nothing is acknowledged and dropped.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from engine.errors import EngineError
from engine.model.time import SECOND
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.runtime.clocks import steady_clock, wall_clock
from engine.runtime.context import StageContext
from engine.stream.activation import RuleSetFollower
from engine.stream.beginning import Beginning, require_beginning
from engine.stream.gauges import Gauges
from engine.stream.ingest import MarkWriter, sources_by_topic
from engine.stream.kpi_values import KpiValues
from engine.stream.lane_maker import LaneMaker, Stages, make_cadence
from engine.stream.member_log import MemberLog
from engine.stream.membership import Membership
from engine.stream.observing import Observing
from engine.stream.ownership import Ownership
from engine.stream.progress import Progress
from engine.stream.stage_work import StageWork
from engine.stream.supervision import Supervisor
from engine.stream.ticks import TickWriter
from engine.telemetry.metrics import KpiGauges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.records import Tick
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log
    from engine.runtime.processor import Place, Processor
    from engine.runtime.settings import Settings
    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics

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
        stored: dict[str, RuleSet] = {}
        self._observing = Observing(metrics, stored, _kpi_values(settings, metrics))
        self._log = MemberLog(log, settings.prefix, self._observing.appended)
        self._sources = frozenset(sources_by_topic(rule_set))
        self._ticks = TickWriter(self._log, self._stage_places, interval=settings.tick_interval, wall=wall_clock)
        self._follower = RuleSetFollower(self._log, self._processors, stored)
        self._supervisor = Supervisor()
        self._writers: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Join, work, and drain when asked to. Raises what made it fail."""
        await self._prepare()
        self._join()
        try:
            self._start()
            await self._supervisor.until_told()
            await self._drain()
        finally:
            await self._end()
        if self._supervisor.failure is not None:
            raise self._supervisor.failure

    def stop(self) -> None:
        """Drain and end: batches in work are finished, checkpointed and committed."""
        self._health.drain()
        self._supervisor.stop()

    @property
    def leaving(self) -> bool:
        """Whether it was told to stop, or failed."""
        return self._supervisor.stopping or self._supervisor.failure is not None

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
        settings = self._settings
        self._context = StageContext(
            rule_sets=self._follower.stored,
            first_rule_set=self._follower.first,
            measurement_partitions=await self._log.partitions(MEASUREMENTS),
            finding_partitions=await self._log.partitions(FINDINGS),
            domain=settings.domain,
            notify_within=settings.notify_within if settings.domain == "live" else None,
            future_max=settings.future_max,
            decoder=settings.decoder,
            limits=settings.engine_limits,
        )
        counts = {MEASUREMENTS: self._context.measurement_partitions, FINDINGS: self._context.finding_partitions}
        for topic, count in counts.items():
            self._metrics.partitions.labels(full_name(settings.prefix, topic)).set(count)
        self._cadence = make_cadence(settings, self._context)
        wall = wall_clock if settings.domain == "live" else None
        self._gauges = Gauges(self._metrics, self._follower.stored, self._cadence, wall=wall)

    def _join(self) -> None:
        """Everything that needs the consumer; it connects when `_start` runs it."""
        settings = self._settings
        self._group = Membership(settings, self._supervisor, self._follower.refresh)
        self._log.consumer = self._group.consumer
        self._progress = Progress(
            self._health,
            self._metrics,
            end_seen=self._group.consumer.end_seen,
            clock=steady_clock,
            timeout=settings.progress_timeout,
        )
        settle_seconds = SETTLE_SHARE * settings.drain_timeout / SECOND
        self._ownership = Ownership(self._lane_maker().make, self._progress, settle_seconds=settle_seconds)
        own = (full_name(settings.prefix, topic) for topic in (MEASUREMENTS, FINDINGS))
        self._group.serve(self._ownership, (*own, *self._sources))

    def _lane_maker(self) -> LaneMaker:
        settings, consumer = self._settings, self._group.consumer
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
            cadence=self._cadence,
            observing=self._observing,
            metrics=self._metrics,
        )

    def _start(self) -> None:
        start = self._supervisor.start
        self._faust = start(self._group.run())
        start(self._look())
        start(self._tend())
        start(self._follower.run())
        if self._settings.domain == "live":
            self._writers.append(start(self._ticks.run()))
            if self._sources:
                self._writers.append(start(self._marks().run()))

    async def _drain(self) -> None:
        """Stop fetching, finish the batch in work, checkpoint, commit."""
        self._supervisor.stop()
        for task in self._writers:
            task.cancel()
        self._group.suspend()
        if self._supervisor.failure is None:
            try:
                await self._ownership.release()
            except EngineError as error:
                self._supervisor.fail(error)

    async def _end(self) -> None:
        self._supervisor.stop()
        self._supervisor.cancel_all_but(self._faust)
        await self._group.leave(LEAVE_SHARE * self._settings.drain_timeout / SECOND)
        await self._supervisor.end()
        self._ownership.close()

    # What goes on beside it.

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._gauges.look(self._works())
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
            self._group.consumer,
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
        return (lane.work for lane in self._ownership.every() if isinstance(lane.work, StageWork))

    def _open_works(self) -> Iterator[StageWork]:
        return (lane.work for lane in self._ownership if isinstance(lane.work, StageWork))

    def _stage_places(self) -> list[Place]:
        return [work.place for work in self._open_works()]

    def _processors(self) -> list[Processor]:
        return [work.processor for work in self._open_works() if work.processor is not None]


def _kpi_values(settings: Settings, metrics: Metrics) -> KpiValues | None:
    if not settings.kpi_gauges:
        return None
    return KpiValues(KpiGauges(metrics, settings.kpi_gauges_max), settings.measurement_partitions)
