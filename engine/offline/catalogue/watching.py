"""Which rules look at a KPI, and what feeds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.sides import sides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet
    from engine.rules.tables import Table


def rules_watching(rules: RuleSet, kpi: Kpi) -> list[Rule]:
    """The rules that are not off and look at it, as their own or as a side of a conflict."""
    return [rule for rule in rules.rules if rule.mode != "off" and kpi.id in (rule.kpi, *sides(rule))]


def guards(rules: RuleSet, kpi: Kpi) -> bool:
    """Whether it is the counterpart of another KPI: it is there for that."""
    return any(counterpart.kpi == kpi.id for each in rules.kpis for counterpart in each.counterparts)


def above(rules: RuleSet, kpi: Kpi) -> Iterator[Kpi]:
    """What it rolls up to, step by step; the checks have seen that there is no circle."""
    following = rules.kpi_by_id.get(kpi.rolls_up_to or "")
    while following is not None:
        yield following
        following = rules.kpi_by_id.get(following.rolls_up_to or "")


def self_reports_only(rules: RuleSet, tables: Sequence[Table], kpi: Kpi) -> list[str] | None:
    """The sources and tables that feed it, where each of them is somebody's own word; null where something else does,
    or may: a KPI that nothing declared feeds is measured by programs that send for themselves.
    """
    declared = {source.id for source in rules.sources} | {table.id for table in tables}
    if any(name not in declared for name in kpi.sources):
        return None
    fed_by: dict[str, bool] = {}
    for source in rules.sources:
        for mapping in source.mappings:
            if mapping.kpi.const == kpi.id or (mapping.kpi.const is None and source.id in kpi.sources):
                fed_by[source.id] = fed_by.get(source.id, True) and mapping.provenance == "self_reported"
    fed_by |= {table.id: True for table in tables if any(row.kpi == kpi.id for row in table.mappings)}
    return sorted(fed_by) if fed_by and all(fed_by.values()) else None
