"""What the worker's metrics are fed with: batches, checkpoints, and what was written, by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import SECOND
from engine.model.topics import DEAD_LETTERS, FINDINGS, MEASUREMENTS, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.time import Micros
    from engine.runtime.ports import Output
    from engine.runtime.processor import Place, Written
    from engine.telemetry.metrics import Metrics
    from engine.wire.batch import Batch

_STAGES = {MEASUREMENTS: "evaluate", FINDINGS: "review"}


class _Said(msgspec.Struct):
    """Of a record of the findings topic, what it is; of a finding, what is counted."""

    type: str
    rule: str = ""
    transition: str = ""
    status: str = ""


class _Reason(msgspec.Struct):
    """Of a dead letter, just why."""

    reason: str


class _Happening(msgspec.Struct):
    """Of a trigger, just what happened."""

    type: str


_said = msgspec.json.Decoder(_Said)
_reason = msgspec.json.Decoder(_Reason)
_happening = msgspec.json.Decoder(_Happening)


class Observing:
    """Counts into `metrics`; what it is told of was done already."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def batch_done(
        self, place: Place, batch: Batch, counts: Mapping[str | tuple[str, ...], int], duration: Micros
    ) -> None:
        """A batch was processed and what it said is acknowledged; `counts` are what the stage has counted in it."""
        stage = _STAGES[place.topic]
        self._count(place, counts)
        self._metrics.input_bytes.labels(place.topic).inc(len(batch.data))
        self._metrics.batch_records.labels(stage).observe(batch.last_offset - batch.first_offset + 1)
        self._metrics.batch_bytes.labels(stage).observe(len(batch.data))
        self._metrics.evaluation.labels(stage).observe(duration / SECOND)

    def _count(self, place: Place, counts: Mapping[str | tuple[str, ...], int]) -> None:
        metrics = self._metrics
        metrics.measurements.labels(place.partition).inc(counts.get("accepted", 0))
        metrics.duplicates.inc(counts.get("duplicate", 0))
        metrics.late.inc(counts.get("late", 0) + counts.get("late_raw", 0))
        metrics.forwards.inc(counts.get("forwarded", 0))

    def checkpoint_done(self, place: Place, written: Written, duration: Micros) -> None:
        """A checkpoint was written and committed."""
        stage = _STAGES[place.topic]
        self._metrics.checkpoints.labels(stage).inc()
        self._metrics.checkpoint_bytes.labels(stage).inc(written.bytes)
        self._metrics.checkpoint.labels(stage).observe(duration / SECOND)

    def recovered(self, place: Place, duration: Micros) -> None:
        """A partition was acquired and is ready."""
        self._metrics.recovery.labels(_STAGES[place.topic]).observe(duration / SECOND)

    def appended(self, outputs: Sequence[Output]) -> None:
        """These records were written."""
        for output in outputs:
            value = output.record.value
            if value is None:
                continue
            if output.topic == DEAD_LETTERS:
                self._metrics.dead_letters.labels(_reason.decode(value).reason).inc()
            elif output.topic == TRIGGERS:
                self._metrics.triggers.labels(_happening.decode(value).type.split(".")[2]).inc()
            elif output.topic == FINDINGS and (said := _said.decode(value)).type == "finding":
                self._metrics.findings.labels(said.rule, said.transition, said.status).inc()
