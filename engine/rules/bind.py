"""From sound declarations to the rule set that runs: defaults filled in, everything sorted by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules import calendar
from engine.rules.bind_governance import bind_calendar, bind_initiative, bind_objective, bind_owner
from engine.rules.bind_kpi import bind_kpis
from engine.rules.bind_maintenance import with_maintenance
from engine.rules.bind_rule import bind_composite, bind_rule
from engine.rules.bind_source import bind_source
from engine.rules.bind_watched import with_what_it_watches
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.declared import Declarations
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import ZoneTransition


def bind(declarations: Declarations) -> RuleSet:
    """The rule set of declarations in which no check has found an error."""
    kpis = bind_kpis({id_: declared.spec for id_, declared in declarations.kpis.items()})
    initiatives = tuple(bind_initiative(declared.spec) for _, declared in sorted(declarations.initiatives.items()))
    specs = [declared.spec for declared in declarations.rules.values()]
    bound = {rule.id: with_what_it_watches(rule, specs, initiatives) for rule in _rules(declarations, kpis)}
    rules = tuple(with_maintenance(rule, bound, declarations, kpis) for rule in bound.values())
    sources = tuple(bind_source(declared.spec) for _, declared in sorted(declarations.sources.items()))
    calendars = tuple(bind_calendar(declared.spec) for _, declared in sorted(declarations.calendars.items()))
    return RuleSet(
        owners=tuple(bind_owner(declared.spec) for _, declared in sorted(declarations.owners.items())),
        objectives=tuple(bind_objective(declared.spec) for _, declared in sorted(declarations.objectives.items())),
        kpis=tuple(kpis.values()),
        rules=rules,
        sources=sources,
        zones=_zones(
            [kpi.window.zone for kpi in kpis.values()],
            [rule.window.zone for rule in rules],
            [mapping.time_zone for source in sources for mapping in source.mappings],
            [each.zone for each in calendars],
            [each.zone for rule in rules for each in rule.maintenance],
        ),
        calendars=calendars,
        initiatives=initiatives,
    )


def _zones(*named: Iterable[str | None]) -> dict[str, tuple[ZoneTransition, ...]]:
    """Every zone that is named, with its transitions."""
    zones = {zone for names in named for zone in names if zone is not None}
    return {zone: calendar.transitions(zone) for zone in sorted(zones)}


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
