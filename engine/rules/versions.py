"""Versions of KPIs: what is of another version is another measure, and nothing that was learned of it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.rules.resolved.catalogue import version_of
from engine.rules.resolved.condition import Composite
from engine.rules.sides import sides

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

NEW_VERSION: Final = "its KPI has a new version"
"""Why an alert is withdrawn whose yardstick is gone with the old version of its KPI."""


def renewed(before: RuleSet, after: RuleSet) -> tuple[str, ...]:
    """The KPIs of both sets that have another version in `after`, sorted."""
    known = before.kpi_by_id
    return tuple(kpi.id for kpi in after.kpis if kpi.id in known and version_of(known[kpi.id]) != version_of(kpi))


def redefined(before: RuleSet, after: RuleSet) -> dict[str, tuple[str, ...]]:
    """By KPI what of its definition `after` changes though the version stays."""
    same = [kpi for kpi in after.kpis if kpi.id in before.kpi_by_id and kpi.id not in renewed(before, after)]
    changed = {
        kpi.id: tuple(name for name in _DEFINING if getattr(kpi, name) != getattr(before.kpi_by_id[kpi.id], name))
        for kpi in same
    }
    return {name: fields for name, fields in changed.items() if fields}


_DEFINING: Final = ("definition", "unit", "aggregation", "formula")


def looked_at(rule: Rule, rules: RuleSet) -> frozenset[str]:
    """The KPIs that a rule's verdicts rest on; of a composite those of its members."""
    names = {rule.kpi, *sides(rule)}
    if isinstance(rule.condition, Composite):
        for member in rule.condition.members:
            if member in rules.rule_by_id:
                names |= looked_at(rules.rule_by_id[member], rules)
    return frozenset(name for name in names if name is not None)


def why_changed(rule: Rule, before: RuleSet, after: RuleSet) -> str:
    """What to say of an alert of `rule`, a rule of `before`, that is taken back because `after` has another in its
    place, or none.
    """
    if rule.id not in after.rule_by_id:
        return "rule removed"
    return NEW_VERSION if looked_at(rule, before) & set(renewed(before, after)) else "rule changed"
