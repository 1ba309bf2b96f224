"""The part of a rule set that a rule's verdicts and sentences rest on: a small rule set, fit for a trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import DAY
from engine.rules.compiler import sides
from engine.rules.ruleset import Composite, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.time import Micros
    from engine.rules.ruleset import Kpi, Rule, ZoneTransition

_MARGIN = 2 * DAY


def excerpt_of(rules: RuleSet, rule: Rule, since: Micros, until: Micros) -> RuleSet:
    """The rule with the KPIs that it looks at; of a composite also its members, with theirs.

    Time zones are cut to what is in force from `since` to `until` and two days about. What tells nothing of a verdict
    is left out: owners, objectives, sources, and which series a KPI is declared to have.
    """
    involved = {each.id: each for each in (rule, *_members(rules, rule))}
    names = {kpi for each in involved.values() for kpi in (each.kpi, *sides(each)) if kpi is not None}
    kpis = tuple(msgspec.structs.replace(kpi, series=()) for kpi in rules.kpis if kpi.id in names)
    return RuleSet(
        owners=(),
        objectives=(),
        kpis=kpis,
        rules=tuple(involved[name] for name in sorted(involved)),
        sources=(),
        zones={
            zone: _in_force(rules.zones[zone], since - _MARGIN, until + _MARGIN)
            for zone in sorted(_zones(kpis, involved.values()))
        },
    )


def _members(rules: RuleSet, rule: Rule) -> list[Rule]:
    condition = rule.condition
    if not isinstance(condition, Composite):
        return []
    return [rules.rule_by_id[name] for name in condition.rules if name in rules.rule_by_id]


def _zones(kpis: Iterable[Kpi], rules: Iterable[Rule]) -> set[str]:
    windows = [*(kpi.window for kpi in kpis), *(rule.window for rule in rules)]
    return {window.zone for window in windows if window.zone is not None}


def _in_force(transitions: tuple[ZoneTransition, ...], since: Micros, until: Micros) -> tuple[ZoneTransition, ...]:
    """The last one before `since`, and those up to `until`."""
    before = sum(transition.start <= since for transition in transitions)
    return tuple(each for each in transitions[max(before - 1, 0) :] if each.start <= until) or transitions[:1]
