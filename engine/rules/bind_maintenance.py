"""Maintenance as it runs, for each rule that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import DAY
from engine.rules.bind_governance import bind_calendar
from engine.rules.resolved.condition import Composite
from engine.rules.resolved.maintenance import Dates, Maintenance

if TYPE_CHECKING:
    from engine.rules.declared import Declarations
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.spec.maintenance import MaintenanceSpec, StretchSpec


_PARTS = ("", ".critical", ".no_data")
"""Rules that stand for more than one: whoever names one of them names these too."""


def with_maintenance(rule: Rule, rules: dict[str, Rule], declarations: Declarations, kpis: dict[str, Kpi]) -> Rule:
    """The rule with what it declares itself, then what the documents of kind maintenance say of it, by id. `rules` are
    all of them.
    """
    about = [kpis[name] for name in kpis_of(rule, rules)]
    declared = declarations.rules.get(rule.id)
    own = [] if declared is None else declared.spec.maintenance
    meant = [each.spec for _, each in sorted(declarations.maintenance.items()) if is_meant(rule, each.spec, about)]
    shared = [stretch for spec in meant for stretch in spec.when]
    found = tuple(_bind(spec, declarations) for spec in (*own, *shared))
    return msgspec.structs.replace(rule, maintenance=found) if found else rule


def kpis_of(rule: Rule, rules: dict[str, Rule]) -> list[str]:
    """The KPI that the rule is on; of a composite those of its members."""
    each = [rules[name] for name in rule.condition.members] if isinstance(rule.condition, Composite) else [rule]
    return sorted({it.kpi for it in each if it.kpi is not None})


def is_meant(rule: Rule, spec: MaintenanceSpec, about: list[Kpi]) -> bool:
    """Whether it is for the rule: named, or only on KPIs that are meant."""
    named = {f"{name}{part}" for name in spec.rules for part in _PARTS}
    wanted = spec.kpis
    return rule.id in named or (
        wanted is not None and bool(about) and all(wanted.mean(msgspec.structs.asdict(kpi)) for kpi in about)
    )


def _bind(spec: StretchSpec, declarations: Declarations) -> Maintenance:
    if spec.calendar is not None:
        calendar = bind_calendar(declarations.calendars[spec.calendar].spec)
        return Maintenance(spec.reason, calendar.zone, since=spec.since, until=spec.until, calendar=calendar)
    begin, end = spec.from_ or 0, spec.to or 0
    return Maintenance(
        spec.reason,
        str(spec.zone),
        tuple(Dates(each.weekdays, each.nth) for each in spec.every or ()) or (Dates(on=spec.on),),
        begin,
        end if begin < end else end + DAY,
        since=spec.since,
        until=spec.until,
    )
