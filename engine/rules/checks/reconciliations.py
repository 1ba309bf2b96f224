"""A KPI can be reconciled with what its system of record keeps: one unit, one window, and sums that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.conflicts import check_shared
from engine.rules.checks.roll_up_fit import ADDED
from engine.rules.checks.timing import kpi_window, rule_window
from engine.rules.wording import choices, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec

_PLACE: Path_ = ("condition", "reconciliation")


def check_reconciliations(declarations: Declarations) -> Iterator[Problem]:
    """Another KPI than its own, children that are there and can be added, the same unit and windows."""
    for rule in declarations.rules.values():
        condition = rule.spec.condition.reconciliation if rule.has("condition") else None
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if condition is None or kpi is None:
            continue
        place: Path_ = (*_PLACE, "children" if condition.children else "against")
        names = [condition.against] if condition.against else children_of(kpi.id, declarations)
        if condition.against == kpi.id or not names:
            yield _nothing(rule, kpi, place, children=not names)
            continue
        record = [each for each in (declarations.kpis.get(name) for name in names) if each is not None]
        for each in record:
            yield from _alike(rule, kpi, each, place, declarations)
        if condition.children:
            yield from (_not_added(rule, each, place) for each in (kpi, *record) if not _is_added(each))
        yield from check_shared(rule, kpi, record, "reconciliation")


def children_of(parent: str, declarations: Declarations) -> list[str]:
    """The KPIs that roll up to it, sorted."""
    kpis = declarations.kpis.items()
    return sorted(id_ for id_, kpi in kpis if kpi.has("rolls_up_to") and kpi.spec.rolls_up_to == parent)


def _nothing(rule: Declared[RuleSpec], kpi: Declared[KpiSpec], place: Path_, *, children: bool) -> Problem:
    return rule.problem(
        place,
        "no-record",
        expected=f"KPIs that roll up to {kpi.id}" if children else "another KPI than the rule's own",
        found="none" if children else shown(kpi.id),
        mend="write `rolls_up_to` in the KPIs that it is the sum of" if children else "name the system of record's KPI",
    )


def _alike(
    rule: Declared[RuleSpec],
    kpi: Declared[KpiSpec],
    other: Declared[KpiSpec],
    place: Path_,
    declarations: Declarations,
) -> Iterator[Problem]:
    if kpi.has("unit") and other.has("unit") and kpi.spec.unit != other.spec.unit:
        yield rule.problem(
            place,
            "different-units",
            expected=f"the unit of {kpi.id}, {shown(kpi.spec.unit)}",
            found=f"{shown(other.spec.unit)} at {shown(other.id)}",
            mend="hold like against like: measure both in one unit",
        )
    window = rule_window(rule, declarations)
    there = kpi_window(other.id, declarations)
    if "window" not in rule.data and window is not None and there is not None and there != window:
        yield rule.problem(
            place,
            "different-windows",
            expected=f"all sides cut by the window of {kpi.id}",
            found=f"another window at {shown(other.id)}",
            mend="give the rule a `window` of its own: it then cuts all sides",
        )


def _is_added(kpi: Declared[KpiSpec]) -> bool:
    return not kpi.has("aggregation") or kpi.spec.aggregation in ADDED


def _not_added(rule: Declared[RuleSpec], kpi: Declared[KpiSpec], place: Path_) -> Problem:
    return rule.problem(
        place,
        "not-added",
        expected=f"KPIs that can be added: {choices(ADDED)}",
        found=f"{kpi.spec.aggregation} at {shown(kpi.id)}",
        mend="hold it against one KPI with `against`",
    )
