"""Owners, calendars, objectives and initiatives as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.catalogue import Initiative, Milestone, Objective, Owner
from engine.rules.resolved.timing import Calendar

if TYPE_CHECKING:
    from engine.rules.spec import CalendarSpec, InitiativeSpec, ObjectiveSpec, OwnerSpec


def bind_owner(spec: OwnerSpec) -> Owner:
    """The owner."""
    return Owner(spec.id, spec.name, spec.contact, spec.noise_budget)


def bind_objective(spec: ObjectiveSpec) -> Objective:
    """The objective, with whom overdue reviews go to."""
    return Objective(spec.id, spec.title, spec.owner, spec.sponsor, spec.board)


def bind_calendar(spec: CalendarSpec) -> Calendar:
    """The calendar, each holiday once, sorted; their names are for the readers of the file."""
    return Calendar(spec.id, spec.zone, spec.hours, tuple(sorted({holiday.date for holiday in spec.holidays})))


def bind_initiative(spec: InitiativeSpec) -> Initiative:
    """The initiative, its milestones in the order written."""
    milestones = tuple(Milestone(it.title, it.by, it.kpi, it.value, it.done) for it in spec.milestones)
    return Initiative(spec.id, spec.title, spec.owner, spec.objective, milestones)
