"""What the worker's counters are fed with: batches, checkpoints, and what was written, by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.time import SECOND
from engine.model.topics import DEAD_LETTERS, FINDINGS, KPI_STATE, MEASUREMENTS, TRIGGERS
from engine.rules.resolved.condition import JoinedCondition
from engine.wire.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prometheus_client import Counter, Histogram

    from engine.model.time import Micros
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output, Stage
    from engine.runtime.processor import Place, Written
    from engine.stream.kpi_values import KpiValues
    from engine.stream.stage_work import Counts
    from engine.telemetry.metrics import Metrics
    from engine.wire.batch import Batch

STAGES = {MEASUREMENTS: "evaluate", FINDINGS: "review"}
"""What metrics call the stage of an input topic."""

_LIMIT_OF_REASON = {
    "too_many_series": "series_per_kpi_max",
    "too_many_dimensions": "dimensions_max",
    "too_long": "message_bytes_max",
}
"""Dead letters that are written because a limit was reached."""

_COUNTED_LIMITS: dict[str | tuple[str, ...], str] = {
    ("limit", "ids_per_series_max"): "ids_per_series_max",
    ("limit", "raw_points_max"): "raw_points_max",
    ("refused", "too_many_reviews"): "reviews_open_max",
}
"""Limits that the stages count."""

_FINDING_OF_TURN = {
    "began": ("firing", "new"),
    "changed": ("firing", "amended"),
    "withdrawn": ("firing", "withdrawn"),
    "ended": ("resolved", "new"),
    "resumed": ("resolved", "withdrawn"),
}
"""What a judgement of a joined rule is as a finding: state entered and status."""


class _Reason(msgspec.Struct):
    """Of a dead letter, just why."""

    reason: str


class _Told(msgspec.Struct):
    historical: bool = False


class _Happening(msgspec.Struct):
    """Of a trigger, just what happened."""

    type: str
    data: _Told


class _Meters(NamedTuple):
    """What every batch of a place counts into: looked up once, because batches may be small and many."""

    input_bytes: Counter
    batch_records: Histogram
    batch_bytes: Histogram
    evaluation: Histogram


_reason = msgspec.json.Decoder(_Reason)
_happening = msgspec.json.Decoder(_Happening)


class Observing:
    """Counts into `metrics`; what it is told of was done already.

    `rule_sets` by hash say which rules are in shadow mode; `kpi_values` is None where KPI gauges are off.
    """

    def __init__(self, metrics: Metrics, rule_sets: Mapping[str, RuleSet], kpi_values: KpiValues | None) -> None:
        self._metrics = metrics
        self._rule_sets = rule_sets
        self._kpi_values = kpi_values
        self._meters: dict[Place, _Meters] = {}
        # From zero on, so that the first of a kind shows as an increase.
        for reason in REASONS:
            metrics.dead_letters.labels(reason)
        for limit in (*_LIMIT_OF_REASON.values(), *_COUNTED_LIMITS.values()):
            metrics.limits_reached.labels(limit)

    def batch_done(self, place: Place, stage: Stage, batch: Batch, counts: Counts, duration: Micros) -> None:
        """A batch was processed and what it said is acknowledged; `counts` are what the stage has counted in it."""
        self._count_measurements(place, counts)
        self._metrics.shares_late.inc(counts.get("shares_late", 0))
        self._count_findings(self._rule_sets.get(stage.rule_set_hash), counts)
        for what, limit in _COUNTED_LIMITS.items():
            if what in counts:
                self._metrics.limits_reached.labels(limit).inc(counts[what])
        meters = self._meters.get(place) or self._make_meters(place, batch.topic)
        meters.input_bytes.inc(len(batch.data))
        meters.batch_records.observe(batch.last_offset - batch.first_offset + 1)
        meters.batch_bytes.observe(len(batch.data))
        meters.evaluation.observe(duration / SECOND)

    def _make_meters(self, place: Place, topic: str) -> _Meters:
        metrics, stage = self._metrics, STAGES[place.topic]
        meters = self._meters[place] = _Meters(
            metrics.input_bytes.labels(topic),
            metrics.batch_records.labels(stage),
            metrics.batch_bytes.labels(stage),
            metrics.evaluation.labels(stage),
        )
        return meters

    def _count_measurements(self, place: Place, counts: Counts) -> None:
        metrics = self._metrics
        if place.topic == MEASUREMENTS:
            metrics.measurements.labels(place.partition).inc(counts.get("accepted", 0))
            metrics.duplicates.inc(counts.get("duplicate", 0))
            metrics.late.inc(counts.get("late", 0) + counts.get("late_raw", 0))
            metrics.restated.inc(counts.get("restated", 0))
            metrics.forwards.inc(counts.get("forwarded", 0))

    def _count_findings(self, rules: RuleSet | None, counts: Counts) -> None:
        """Those of single series by stage 1, those of joined rules by stage 2, which alone finds them."""
        for what, number in counts.items():
            if not number or not isinstance(what, tuple):
                continue
            rule = None if rules is None else rules.rule_by_id.get(what[1])
            if what[0] == "finding":
                self._count_finding(what[1], rule, what[2], what[3], number)
            elif what[0] == "judgements" and rule and isinstance(rule.condition, JoinedCondition):
                self._count_finding(what[1], rule, *_FINDING_OF_TURN[what[2]], number)

    def _count_finding(self, name: str, rule: Rule | None, state: str, status: str, number: int) -> None:
        self._metrics.findings.labels(name, state, status).inc(number)
        if rule is not None and rule.mode == "shadow":
            self._metrics.shadow_findings.labels(name, state).inc(number)

    def checkpoint_done(self, place: Place, written: Written, duration: Micros, cpu: Micros) -> None:
        """A checkpoint was written and committed; `cpu` is what that used of the event loop's thread."""
        stage = STAGES[place.topic]
        self._metrics.checkpoints.labels(stage).inc()
        self._metrics.checkpoint_bytes.labels(stage).inc(written.bytes)
        self._metrics.checkpoint.labels(stage).observe(duration / SECOND)
        self._metrics.checkpoint_cpu.labels(stage).inc(cpu / SECOND)

    def recovered(self, place: Place, duration: Micros) -> None:
        """A partition was acquired and is ready."""
        self._metrics.recovery.labels(STAGES[place.topic]).observe(duration / SECOND)

    def left(self, place: Place) -> None:
        """A partition went elsewhere."""
        if place.topic == MEASUREMENTS:
            self._metrics.watermark_delay.remove_by_labels({"partition": str(place.partition)})
            if self._kpi_values is not None:
                self._kpi_values.forget(place.partition)

    def appended(self, outputs: Sequence[Output]) -> None:
        """These records were written."""
        for output in outputs:
            value = output.record.value
            if value is None:
                continue
            if output.topic == DEAD_LETTERS:
                self._dead_letter(_reason.decode(value).reason)
            elif output.topic == TRIGGERS:
                self._trigger(_happening.decode(value))
            elif output.topic == KPI_STATE and self._kpi_values is not None:
                self._kpi_values.wrote(value)

    def _dead_letter(self, reason: str) -> None:
        self._metrics.dead_letters.labels(reason).inc()
        if reason in _LIMIT_OF_REASON:
            self._metrics.limits_reached.labels(_LIMIT_OF_REASON[reason]).inc()

    def _trigger(self, trigger: _Happening) -> None:
        happening = trigger.type.split(".")[2]
        self._metrics.triggers.labels(happening).inc()
        if trigger.data.historical:
            self._metrics.historical_triggers.labels(happening).inc()
