"""Milestones of initiatives: proven by a KPI, or merely reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.model.time import DAY
from engine.offline.catalogue.pace import date_of, has_reached, instant
from engine.review.numbers import number

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.offline.catalogue.seen import Reading
    from engine.rules.resolved.catalogue import Kpi, Milestone

MilestoneState = Literal["proven", "done but unproven", "overdue", "due"]


class Proof(NamedTuple):
    """Where a milestone stands, and why."""

    state: MilestoneState
    why: str


def proof_of(milestone: Milestone, kpi: Kpi, reading: Reading | None, now: Micros) -> Proof:
    """Proven where the newest value of the KPI is at or past what the milestone names (else the KPI's target)."""
    wanted = _wanted(milestone, kpi)
    if wanted is not None and reading is not None and has_reached(reading.value, wanted, kpi.direction):
        return Proof("proven", f"{_measured(kpi, reading)}, {_asked(wanted, kpi)} was asked for")
    why = _unproven(kpi, reading, wanted)
    if milestone.done is not None and instant(milestone.done) <= now:
        return Proof("done but unproven", f"reported on {milestone.done}, but {why}")
    return Proof("overdue" if instant(milestone.by) + DAY <= now else "due", why)


def _wanted(milestone: Milestone, kpi: Kpi) -> float | None:
    if milestone.value is not None:
        return milestone.value
    return None if kpi.target is None else kpi.target.value


def _unproven(kpi: Kpi, reading: Reading | None, wanted: float | None) -> str:
    if wanted is None:
        return f"neither it nor the target of {kpi.id} says a value that would prove it"
    if kpi.direction == "in_band":
        return f"neither way is better for {kpi.id}, which can prove nothing"
    measured = f"{kpi.id} has no value" if reading is None else _measured(kpi, reading)
    return f"{measured}; {_asked(wanted, kpi)} would prove it"


def _measured(kpi: Kpi, reading: Reading) -> str:
    return f"{kpi.id} was {number(reading.value)} on {date_of(reading.time - 1)}"


def _asked(wanted: float, kpi: Kpi) -> str:
    return f"{'at least' if kpi.direction == 'higher_is_better' else 'at most'} {number(wanted)}"
