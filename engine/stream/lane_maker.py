"""Makes the lane of a partition: which work belongs to its topic, and what that work is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.topics import MEASUREMENTS, full_name
from engine.runtime.cadence import Cadence, CadenceLimits
from engine.runtime.clocks import steady_clock
from engine.runtime.processor import stage_1_place, stage_2_place
from engine.stream.ingest import IngestWork
from engine.stream.lane import Lane
from engine.stream.stage_work import StageWork

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from faust.types import TP

    from engine.kernels.warm import Warmth
    from engine.model.records import Tick
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Stage
    from engine.runtime.processor import Place
    from engine.runtime.settings import Settings
    from engine.stream.beginning import Beginning
    from engine.stream.consumer import BatchConsumer
    from engine.stream.lane import Work
    from engine.stream.member_log import MemberLog
    from engine.stream.observing import Observing
    from engine.telemetry.metrics import Metrics


class Stages(NamedTuple):
    """How a stage is made, for a partition and what it must know.

    `warm` makes ready what is compiled, before there is anything to do; None where nothing is.
    """

    evaluate: Callable[[int, StageContext], Stage]
    review: Callable[[int, StageContext], Stage]
    warm: Callable[[], Warmth] | None = None


def make_cadence(settings: Settings, context: StageContext) -> Cadence[Place]:
    """The pace of checkpoints that the settings ask for. The least interval is each partition's; they take turns."""
    lanes = context.measurement_partitions + context.finding_partitions
    rest_min = settings.checkpoint_interval_min // lanes
    return Cadence(CadenceLimits(rest_min=rest_min, replay_max=settings.checkpoint_interval_max))


class LaneMaker:
    """Knows the topics.

    `foreign` are those of sources, `rules` gives the set that maps them, `present` the tick of this moment (None in
    `replay`).
    """

    def __init__(
        self,
        settings: Settings,
        context: StageContext,
        stages: Stages,
        *,
        log: MemberLog,
        consumer: BatchConsumer,
        beginning: Beginning,
        foreign: AbstractSet[str],
        rules: Callable[[], RuleSet],
        present: Callable[[], Tick | None],
        cadence: Cadence[Place],
        observing: Observing,
        metrics: Metrics,
    ) -> None:
        self._measurements = full_name(settings.prefix, MEASUREMENTS)
        self._context = context
        self._stages = stages
        self._log = log
        self._consumer = consumer
        self._beginning = beginning
        self._foreign = foreign
        self._rules = rules
        self._present = present
        self._observing = observing
        self._metrics = metrics
        self._cadence = cadence

    def make(self, tp: TP) -> Lane:
        """A lane that has not recovered yet."""
        return Lane(tp, self._work(tp), contiguous=tp.topic not in self._foreign)

    def _work(self, tp: TP) -> Work:
        if tp.topic in self._foreign:
            return self._ingest_work(tp)
        if tp.topic == self._measurements:
            return self._stage_work(stage_1_place(tp.partition), self._stages.evaluate)
        place = stage_2_place(tp.partition, self._context.measurement_partitions)
        return self._stage_work(place, self._stages.review)

    def _ingest_work(self, tp: TP) -> IngestWork:
        return IngestWork(
            tp,
            self._log,
            self._consumer,
            self._beginning,
            self._rules,
            limits=self._context.limits,
            metrics=self._metrics,
        )

    def _stage_work(self, place: Place, make: Callable[[int, StageContext], Stage]) -> StageWork:
        return StageWork(
            self._log,
            place,
            lambda: make(place.partition, self._context),
            first_position=self._beginning.of_stage,
            present=self._present,
            cadence=self._cadence,
            clock=steady_clock,
            observer=self._observing,
        )
