"""From sound declarations to the rule set that runs: defaults filled in, everything sorted by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY
from engine.rules import calendar
from engine.rules.bind_rule import bind_rule, idle_default
from engine.rules.bind_source import bind_source
from engine.rules.ruleset import Counterpart, Kpi, Objective, Owner, RuleSet, Target, Window

if TYPE_CHECKING:
    from engine.rules.declared import Declarations
    from engine.rules.spec import KpiSpec
    from engine.rules.spec.catalogue import TargetSpec, WindowSpec


def bind(declarations: Declarations) -> RuleSet:
    """The rule set of declarations in which no check has found an error."""
    kpis = {id_: _kpi(declared.spec) for id_, declared in sorted(declarations.kpis.items())}
    rules = tuple(
        bind_rule(declared, kpis, declarations.rules, window_of) for _, declared in sorted(declarations.rules.items())
    )
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


def window_of(spec: WindowSpec) -> Window:
    """The window in numbers; a calendar day is nominally 24 hours."""
    if spec.every == "day":
        return Window(DAY, DAY, spec.zone)
    return Window(spec.size or spec.every, spec.every)


def _kpi(spec: KpiSpec) -> Kpi:
    window = window_of(spec.window)
    return Kpi(
        id=spec.id,
        title=spec.title,
        owner=spec.owner,
        objective=spec.objective,
        definition=spec.definition,
        decision=None if spec.decision == "none" else spec.decision,
        direction=spec.direction,
        role=spec.role,
        unit=spec.unit,
        aggregation=spec.aggregation,
        window=window,
        lateness=spec.lateness,
        idle=spec.idle or idle_default(window),
        cadence=spec.cadence,
        sources=tuple(spec.sources),
        dimensions=tuple(sorted(spec.dimensions)),
        series=tuple(spec.series),
        rolls_up_to=spec.rolls_up_to,
        target=_target(spec.target),
        counterparts=tuple(
            Counterpart(it.kpi, it.minimum_effect, it.lag, it.per)
            for it in sorted(spec.counterparts, key=lambda counterpart: counterpart.kpi)
        ),
        publish=spec.publish,
    )


def _target(spec: TargetSpec | None) -> Target | None:
    return None if spec is None else Target(spec.value, spec.by, spec.start, spec.reviewed)
