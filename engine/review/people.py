"""Whom a review concerns: its owner, and those that it goes to when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.condition import Composite
from engine.rules.resolved.governance import MovedGoalposts, NewVersion

if TYPE_CHECKING:
    from engine.model.trigger import Happening
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


def owner_of(rule: Rule, rules: RuleSet) -> str:
    """Who answers: the KPI's owner; of moved goalposts and new versions the objective's, since whoever owns a KPI
    makes them; for a composite the rule's author, or the owner of its first member's KPI; for a review of a rule
    itself that rule's author, where it names one.
    """
    if rule.kpi is not None and rule.owner is not None and rule.condition.__struct_config__.tag == "precision":
        return rule.owner
    kpi = None if rule.kpi is None else rules.kpi_by_id.get(rule.kpi)
    if kpi is not None and isinstance(rule.condition, MovedGoalposts | NewVersion):
        return next((each.owner for each in rules.objectives if each.id == kpi.objective), kpi.owner)
    if kpi is not None:
        return kpi.owner
    if rule.owner is not None or not isinstance(rule.condition, Composite):
        return rule.owner or ""
    first = rules.rule_by_id.get(rule.condition.rules[0])
    return "" if first is None else owner_of(first, rules)


def escalation_of(rule: Rule, rules: RuleSet) -> tuple[str, ...]:
    """Who hears of an overdue review after its owner: the objective's sponsor (else its owner), then the board."""
    kpi = _kpi_of(rule, rules)
    objective = next((each for each in rules.objectives if kpi is not None and each.id == kpi.objective), None)
    if objective is None:
        return ()
    chain = [objective.sponsor or objective.owner, objective.board]
    named = [name for name in chain if name is not None and name != owner_of(rule, rules)]
    return tuple(dict.fromkeys(named))


def notified(
    happening: Happening, rule: Rule, rules: RuleSet, *, assignee: str | None, participants: tuple[str, ...], step: int
) -> tuple[str, ...]:
    """The owners whom a transition concerns; `step` is that of the escalation."""
    owner = owner_of(rule, rules)
    if happening == "escalated":
        chain = escalation_of(rule, rules)
        return (chain[step - 1] if 0 < step <= len(chain) else owner,)
    named = [owner] if assignee is None else [owner, assignee]
    return tuple(dict.fromkeys(named if happening == "overdue" else [*named, *participants]))


def _kpi_of(rule: Rule, rules: RuleSet) -> Kpi | None:
    if rule.kpi is not None:
        return rules.kpi_by_id.get(rule.kpi)
    if not isinstance(rule.condition, Composite):
        return None
    first = rules.rule_by_id.get(rule.condition.rules[0])
    return None if first is None else _kpi_of(first, rules)
