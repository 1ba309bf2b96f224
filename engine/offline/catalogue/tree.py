"""The catalogue as a tree: objectives, under each its initiatives and KPIs, with what is missing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from engine.model.time import format_time
from engine.offline.catalogue.milestones import MilestoneState, proof_of
from engine.offline.catalogue.status import STATUSES, Status, status_of
from engine.offline.catalogue.watching import guards, rules_watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.offline.catalogue.seen import Seen
    from engine.rules.resolved.catalogue import Initiative, Kpi, Objective
    from engine.rules.ruleset import RuleSet


class KpiNode(msgspec.Struct, frozen=True):
    """A KPI, how it fares, what is missing, and the KPIs of the same objective that roll up to it."""

    id: str
    title: str
    owner: str
    role: str
    unit: str
    status: Status
    why: str
    value: float | None
    value_time: str | None
    pace: float | None
    target: float | None
    by: str | None
    gaps: tuple[str, ...]
    kpis: tuple[KpiNode, ...]


class MilestoneNode(msgspec.Struct, frozen=True):
    """A milestone, and whether it is proven."""

    title: str
    by: str
    kpi: str
    state: MilestoneState
    why: str


class InitiativeNode(msgspec.Struct, frozen=True):
    """An initiative with its milestones."""

    id: str
    title: str
    owner: str
    milestones: tuple[MilestoneNode, ...]


class ObjectiveNode(msgspec.Struct, frozen=True):
    """An objective with what serves it."""

    id: str
    title: str
    owner: str
    sponsor: str | None
    board: str | None
    initiatives: tuple[InitiativeNode, ...]
    kpis: tuple[KpiNode, ...]
    gaps: tuple[str, ...]


class CatalogueTree(msgspec.Struct, frozen=True):
    """The whole of it at a time. `note` says why no values were read, where none were. `statuses` counts KPIs."""

    time: str
    note: str | None
    statuses: dict[str, int]
    objectives: tuple[ObjectiveNode, ...]


def tree_of(rules: RuleSet, seen: Seen, now: Micros) -> CatalogueTree:
    """Everything in the order of its id."""
    objectives = tuple(_objective(objective, rules, seen, now) for objective in rules.objectives)
    counted = Counter(kpi.status for objective in objectives for kpi in _all(objective.kpis))
    return CatalogueTree(format_time(now), seen.note, {status: counted[status] for status in STATUSES}, objectives)


def _all(kpis: tuple[KpiNode, ...]) -> Iterator[KpiNode]:
    for kpi in kpis:
        yield kpi
        yield from _all(kpi.kpis)


def _objective(objective: Objective, rules: RuleSet, seen: Seen, now: Micros) -> ObjectiveNode:
    own = [kpi for kpi in rules.kpis if kpi.objective == objective.id]
    names = {kpi.id for kpi in own}
    return ObjectiveNode(
        id=objective.id,
        title=objective.title,
        owner=objective.owner,
        sponsor=objective.sponsor,
        board=objective.board,
        initiatives=tuple(
            _initiative(initiative, rules, seen, now)
            for initiative in rules.initiatives
            if initiative.objective == objective.id
        ),
        kpis=tuple(_kpi(kpi, own, rules, seen, now) for kpi in own if kpi.rolls_up_to not in names),
        gaps=() if own else ("no KPI says how it fares",),
    )


def _initiative(initiative: Initiative, rules: RuleSet, seen: Seen, now: Micros) -> InitiativeNode:
    nodes = []
    for milestone in initiative.milestones:
        kpi, reading = rules.kpi_by_id[milestone.kpi], seen.readings.get(milestone.kpi)
        nodes.append(
            MilestoneNode(milestone.title, milestone.by, milestone.kpi, *proof_of(milestone, kpi, reading, now))
        )
    return InitiativeNode(initiative.id, initiative.title, initiative.owner, tuple(nodes))


def _kpi(kpi: Kpi, siblings: list[Kpi], rules: RuleSet, seen: Seen, now: Micros) -> KpiNode:
    reading = seen.readings.get(kpi.id)
    judged = status_of(kpi, reading, [review for review in seen.reviews if not review.ended], now)
    return KpiNode(
        id=kpi.id,
        title=kpi.title,
        owner=kpi.owner,
        role=kpi.role,
        unit=kpi.unit,
        status=judged.status,
        why=judged.why,
        value=None if reading is None else reading.value,
        value_time=None if reading is None else format_time(reading.time),
        pace=judged.pace,
        target=None if kpi.target is None else kpi.target.value,
        by=None if kpi.target is None else kpi.target.by,
        gaps=tuple(_gaps(kpi, rules)),
        kpis=tuple(_kpi(each, siblings, rules, seen, now) for each in siblings if each.rolls_up_to == kpi.id),
    )


def _gaps(kpi: Kpi, rules: RuleSet) -> Iterator[str]:
    if kpi.target is None:
        yield "no target"
    if kpi.decision is None:
        yield "no decision moves with it"
    if not rules_watching(rules, kpi):
        yield "no rule watches it"
    if kpi.role == "leading" and not kpi.counterparts and not guards(rules, kpi):
        yield "no counterpart is held against it"
