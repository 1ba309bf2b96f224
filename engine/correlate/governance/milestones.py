"""Milestones that a report calls done, or whose date has passed, and that their KPI does not prove."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from engine.correlate.governance.falling import is_met
from engine.model.governance import OpenMilestone, UnprovenMilestones
from engine.model.time import DAY, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Initiative, Kpi, Milestone


def unproven(
    initiatives: Iterable[Initiative], kpi: Kpi, values: Sequence[float], now: Micros
) -> tuple[bool, UnprovenMilestones]:
    """Which milestones of the KPI are unproven at `now`; `values` are its newest windows."""
    middle = median(values) if values else None
    found = tuple(_unproven(initiatives, kpi, middle, now))
    return bool(found), UnprovenMilestones(found, middle)


def _unproven(
    initiatives: Iterable[Initiative], kpi: Kpi, middle: float | None, now: Micros
) -> Iterator[OpenMilestone]:
    for initiative in initiatives:
        for milestone in initiative.milestones:
            if milestone.kpi != kpi.id:
                continue
            value = proof_of(milestone, kpi)
            if value is not None and middle is not None and is_met(middle, value, kpi.direction):
                continue
            if is_reported(milestone, now):
                yield _open(initiative, milestone, value, reported=True)
            elif begin_of(milestone.by) + DAY <= now:
                yield _open(initiative, milestone, value, reported=False)


def proof_of(milestone: Milestone, kpi: Kpi) -> float | None:
    """What its KPI must come to: the target where the milestone says nothing; None: nothing proves it."""
    return milestone.value if milestone.value is not None or kpi.target is None else kpi.target.value


def is_reported(milestone: Milestone, now: Micros) -> bool:
    """Whether it is called done by now."""
    return milestone.done is not None and begin_of(milestone.done) <= now


def begin_of(date: str) -> Micros:
    """When a date as written begins, in UTC."""
    return parse_own_time(f"{date}T00:00:00Z")


def _open(initiative: Initiative, milestone: Milestone, value: float | None, *, reported: bool) -> OpenMilestone:
    return OpenMilestone(
        initiative=initiative.id,
        title=milestone.title,
        by=milestone.by,
        done=milestone.done,
        value=value,
        why="reported" if reported else "overdue",
    )
