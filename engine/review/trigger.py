"""A review's transition as the CloudEvent that the world reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.event_parts import event_digests
from engine.model.identity import trigger_id
from engine.model.trigger import (
    CONTENT_TYPE,
    SOURCE,
    SPEC_VERSION,
    ConflictEvidence,
    GroupEvidence,
    Happening,
    KpiSummary,
    MovedBy,
    ReviewTrigger,
    TriggerData,
    event_type,
)
from engine.review.stretch import stretch_of
from engine.rules.excerpt import excerpt_of
from engine.rules.ruleset import Composite, Kpi, Rule, RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.finding import Episode, Evidence
    from engine.review.review import Review


class Told(NamedTuple):
    """What there is to say of a transition beside the review and its rule."""

    event_time: str
    evidence: Evidence | ConflictEvidence | GroupEvidence | None
    episode: Episode | None
    cause: str | None
    explanation: Callable[[Happening, Review], str]
    moved_by: MovedBy
    taking_part: tuple[str, ...] = ()


def trigger_of(
    review: Review, happening: Happening, cause: str | None, now: str, rules: RuleSet, told: Told
) -> ReviewTrigger:
    """The trigger of the transition that `review.ordinal` counts."""
    rule = rules.rule_by_id[review.rule]
    kpi = None if rule.kpi is None else rules.kpi_by_id[rule.kpi]
    owner = owner_of(rule, rules)
    data = TriggerData(
        review=review.id,
        ordinal=review.ordinal,
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        scope=review.scope,
        kpi=None if kpi is None else summary_of(kpi),
        owner=owner,
        participants=_participants(review, rule, rules, told, owner),
        objective=None if kpi is None else kpi.objective,
        opened=review.opened,
        due=review.due,
        question=rule.review.question,
        runbook=rule.review.runbook,
        explanation=told.explanation(happening, review),
        event_time=told.event_time,
        evidence=told.evidence,
        episode=told.episode,
        historical=review.historical,
        cause=cause,
        rule_set=rules.hash,
        first_event_time=review.first,
        moved_by=told.moved_by,
        excerpt=msgspec.to_builtins(excerpt_of(rules, rule, *stretch_of(told.event_time, told.evidence, told.episode))),
    )
    trigger = ReviewTrigger(
        specversion=SPEC_VERSION,
        id=trigger_id(review.id, review.ordinal),
        source=SOURCE,
        type=event_type(happening),
        subject=review.scope,
        time=now,
        datacontenttype=CONTENT_TYPE,
        data=data,
    )
    digests = event_digests(msgspec.to_builtins(trigger))
    return msgspec.structs.replace(trigger, data=msgspec.structs.replace(data, digests=digests))


def owner_of(rule: Rule, rules: RuleSet) -> str:
    """Who answers: the KPI's owner; for a composite the rule's author, or the owner of its first member's KPI."""
    if rule.kpi is not None:
        return rules.kpi_by_id[rule.kpi].owner
    if rule.owner is not None or not isinstance(rule.condition, Composite):
        return rule.owner or ""
    first = rules.rule_by_id.get(rule.condition.rules[0])
    return "" if first is None else owner_of(first, rules)


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


def _participants(review: Review, rule: Rule, rules: RuleSet, told: Told, owner: str) -> tuple[str, ...]:
    """Who takes part only ever grows within a review."""
    owners = {rules.kpi_by_id[kpi].owner for kpi in told.taking_part if kpi in rules.kpi_by_id}
    return tuple(sorted({*review.participants, *rule.review.participants, *owners} - {owner}))
