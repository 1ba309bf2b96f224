"""From sound declarations to the rule set that runs: defaults filled in, everything sorted by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules import calendar
from engine.rules.bind_kpi import bind_kpi
from engine.rules.bind_rule import bind_composite, bind_rule
from engine.rules.bind_source import bind_source
from engine.rules.ruleset import Objective, Owner, RuleSet

if TYPE_CHECKING:
    from engine.rules.declared import Declarations
    from engine.rules.ruleset import Kpi, Rule


def bind(declarations: Declarations) -> RuleSet:
    """The rule set of declarations in which no check has found an error."""
    kpis = {id_: bind_kpi(declared.spec) for id_, declared in sorted(declarations.kpis.items())}
    rules = _rules(declarations, kpis)
    sources = tuple(bind_source(declared.spec) for _, declared in sorted(declarations.sources.items()))
    windows = [kpi.window for kpi in kpis.values()] + [rule.window for rule in rules]
    zones = {window.zone for window in windows} | {
        mapping.time_zone for source in sources for mapping in source.mappings
    }
    owners = sorted(declarations.owners.items())
    objectives = sorted(declarations.objectives.items())
    return RuleSet(
        owners=tuple(Owner(id_, owner.spec.name, owner.spec.contact) for id_, owner in owners),
        objectives=tuple(Objective(id_, it.spec.title, it.spec.owner) for id_, it in objectives),
        kpis=tuple(kpis.values()),
        rules=rules,
        sources=sources,
        zones={zone: calendar.transitions(zone) for zone in sorted(zone for zone in zones if zone is not None)},
    )


def _rules(declarations: Declarations, kpis: dict[str, Kpi]) -> tuple[Rule, ...]:
    """Rules on series first: a composite rests on their fingerprints."""
    bound: dict[str, Rule] = {}
    composites = []
    for id_, declared in sorted(declarations.rules.items()):
        if declared.spec.condition.composite:
            composites.append(declared)
        else:
            bound[id_] = bind_rule(declared, kpis)
    for declared in composites:
        bound[declared.id] = bind_composite(declared, kpis, bound)
    return tuple(bound[id_] for id_ in sorted(bound))
