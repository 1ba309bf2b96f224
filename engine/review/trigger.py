"""A review's transition as the CloudEvent that the world reads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.event_parts import event_digests
from engine.model.identity import trigger_id
from engine.model.time import Micros, parse_own_time
from engine.model.trigger import (
    CONTENT_TYPE,
    SOURCE,
    SPEC_VERSION,
    Happening,
    KpiSummary,
    MovedBy,
    ReviewTrigger,
    TriggerData,
    event_type,
)
from engine.review.people import notified, owner_of
from engine.review.stretch import stretch_of
from engine.rules.excerpt import excerpt_told
from engine.rules.resolved.condition import Cadence, JoinedCondition, Precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.finding import Episode
    from engine.model.trigger import AnyEvidence
    from engine.review.review import Review
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


class Told(NamedTuple):
    """What there is to say of a transition beside the review and its rule."""

    event_time: str
    evidence: AnyEvidence | None
    episode: Episode | None
    cause: str | None
    explanation: Callable[[Happening, Review], str]
    moved_by: MovedBy
    taking_part: tuple[str, ...] = ()


def trigger_of(
    review: Review, happening: Happening, cause: str | None, now: str, rules: RuleSet, told: Told, explanation: str
) -> ReviewTrigger:
    """The trigger of the transition that `review.ordinal` counts; `explanation` is its sentence."""
    rule = rules.rule_by_id[review.rule]
    kpi = None if rule.kpi is None else rules.kpi_by_id[rule.kpi]
    owner = owner_of(rule, rules)
    excerpt = excerpt_told(rules, rule, partial(_stretch, review, rule, told))
    data = TriggerData(
        review=review.id,
        ordinal=review.ordinal,
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        scope=review.scope,
        kpi=None if kpi is None else summary_of(kpi),
        owner=owner,
        participants=review.participants,
        objective=None if kpi is None else kpi.objective,
        opened=review.opened,
        due=review.due,
        question=rule.review.question,
        runbook=rule.review.runbook,
        explanation=explanation,
        event_time=told.event_time,
        evidence=told.evidence,
        episode=told.episode,
        historical=review.historical,
        cause=cause,
        rule_set=rules.hash,
        first_event_time=review.first,
        moved_by=told.moved_by,
        excerpt=excerpt.told,
        state=review.state,
        alert=review.alert,
        notify=notified(
            happening, rule, rules, assignee=review.assignee, participants=review.participants, step=review.step
        ),
        dimensions=dimensions_of(review.scope),
        sensitive=excerpt.sensitive,
        command_key=command_key(rule, review.scope),
        about=review.about,
        acknowledged_by=review.acknowledged_by,
        assignee=review.assignee,
        snoozed_until=review.snoozed_until,
        step=review.step,
        verdict=review.verdict,
        answer=review.answer,
    )
    return _event(data, happening, now, excerpt.digest)


def _event(data: TriggerData, happening: Happening, now: str, excerpt: str) -> ReviewTrigger:
    """The CloudEvent round it, with the digests of its parts; that of its excerpt is known."""
    beside = {
        "specversion": SPEC_VERSION,
        "id": trigger_id(data.review, data.ordinal),
        "source": SOURCE,
        "type": event_type(happening),
        "subject": data.scope,
        "time": now,
        "datacontenttype": CONTENT_TYPE,
    }
    digests = event_digests({**beside, "data": msgspec.structs.asdict(data)}, excerpt=excerpt)
    return ReviewTrigger(**beside, data=msgspec.structs.replace(data, digests=digests))


def _stretch(review: Review, rule: Rule, told: Told) -> tuple[Micros, Micros]:
    """The event time that the trigger speaks of; with the opening tick, where due times follow a calendar."""
    since, until = stretch_of(told.event_time, told.evidence, told.episode)
    if rule.review.due_in is None or rule.review.due_in.calendar is None:
        return since, until
    opened = parse_own_time(review.opened)
    return min(since, opened), max(until, opened)


def command_key(rule: Rule, scope: str) -> str:
    """The record key of what stands in findings about a rule and scope: its partition is where the review lives."""
    if rule.storm is not None:
        return rule.storm
    match rule.condition:
        case Cadence() | Precision():
            return rule.id
        case condition:
            return f"{rule.id}|{scope}" if isinstance(condition, JoinedCondition) else scope


def dimensions_of(scope: str) -> dict[str, str]:
    """The dimensions in a series' key or a scope; empty where it has none."""
    start = scope.find("{")
    if start < 0:
        return {}
    try:
        return msgspec.json.decode(scope[start:], type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def summary_of(kpi: Kpi) -> KpiSummary:
    """What a reader must know of a KPI."""
    return KpiSummary(
        id=kpi.id,
        title=kpi.title,
        definition=kpi.definition,
        unit=kpi.unit,
        direction=kpi.direction,
        owner=kpi.owner,
        objective=kpi.objective,
        decision=kpi.decision,
    )


def participants_of(review: Review, rule: Rule, rules: RuleSet, taking_part: tuple[str, ...]) -> tuple[str, ...]:
    """Who takes part only ever grows within a review."""
    owners = {rules.kpi_by_id[kpi].owner for kpi in taking_part if kpi in rules.kpi_by_id}
    return tuple(sorted({*review.participants, *rule.review.participants, *owners} - {owner_of(rule, rules)}))
