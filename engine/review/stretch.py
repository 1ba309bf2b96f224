"""The stretch of event time that a trigger speaks of: time zones must be known over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.finding import Evidence, Silence, WindowPoint
from engine.model.governance import GovernanceEvidence
from engine.model.time import Micros, parse_own_time
from engine.model.trigger import (
    CadenceEvidence,
    ConflictEvidence,
    GroupEvidence,
    OffTrackEvidence,
    ReconciliationEvidence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.finding import Episode
    from engine.model.trigger import AnyEvidence


def stretch_of(event_time: str, evidence: AnyEvidence | None, episode: Episode | None) -> tuple[Micros, Micros]:
    """First and last event time among them."""
    times = [event_time, *_mentioned(evidence)]
    if episode is not None:
        times += [episode.first, episode.last]
    micros = [parse_own_time(time) for time in times]
    return min(micros), max(micros)


def _mentioned(evidence: AnyEvidence | None) -> Iterator[str]:
    if isinstance(evidence, Evidence):
        yield from _of_series(evidence)
    elif isinstance(evidence, ConflictEvidence):
        yield from (evidence.window.start, evidence.window.end)
        for side in evidence.sides:
            yield from (point.start for point in side.baseline_points)
            yield from (time for window in side.windows for time in (window.start, window.end))
    elif isinstance(evidence, ReconciliationEvidence):
        yield from (evidence.window.start, evidence.window.end)
        for each in (evidence.reported, evidence.record):
            yield from (time for window in each.windows for time in (window.start, window.end))
    elif isinstance(evidence, OffTrackEvidence):
        yield from (evidence.window.start, evidence.window.end)
        yield from (point.start for point in evidence.points)
    elif isinstance(evidence, GroupEvidence):
        yield from (member.event_time for member in evidence.listed)
    elif isinstance(evidence, GovernanceEvidence):
        yield evidence.time
        yield from () if evidence.window is None else (evidence.window.start, evidence.window.end)
        yield from (point.start for kpi in evidence.kpis for point in kpi.points)
    elif isinstance(evidence, CadenceEvidence):
        yield from (evidence.since, evidence.due)


def _of_series(evidence: Evidence) -> Iterator[str]:
    point = evidence.point
    if isinstance(point, WindowPoint):
        yield from (point.window.start, point.window.end)
    elif isinstance(point, Silence):
        yield point.tick_time
    yield from (each.start for each in evidence.baseline_points)
    if evidence.trend is not None:
        yield from (evidence.trend.onset, evidence.trend.alarm)
        yield from (each.start for each in evidence.trend.points)
    if evidence.anomaly:
        yield evidence.anomaly.began
        yield from (each.start for each in evidence.anomaly.points)
    if evidence.control:
        yield from (each.start for each in evidence.control.points)
        yield from () if evidence.control.onset is None else (evidence.control.onset,)
