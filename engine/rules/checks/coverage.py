"""A leading KPI is there to be watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.reconciliations import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations
    from engine.rules.problems import Problem


def check_coverage(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each leading KPI that no rule looks at, neither as its own nor as a counterpart."""
    if "rule" in declarations.incomplete or declarations.known["rule"] - declarations.rules.keys():
        return
    watched = _watched(declarations)
    for kpi in declarations.kpis.values():
        if kpi.has("role") and kpi.spec.role == "leading" and kpi.id not in watched:
            yield kpi.problem(
                ("role",),
                "unwatched",
                expected="a rule that watches a leading KPI",
                found="none",
                mend=f"add a rule with `kpi: {kpi.id}`: a leading KPI that nobody watches leads nowhere",
                severity="warning",
            )


def _watched(declarations: Declarations) -> set[str]:
    watched: set[str] = set()
    for rule in declarations.rules.values():
        if rule.data.get("mode") == "off" or not isinstance(rule.data.get("kpi"), str):
            continue
        kpi = rule.data["kpi"]
        watched.add(kpi)
        if not rule.has("condition"):
            continue
        reconciliation = rule.spec.condition.reconciliation
        if reconciliation:
            watched.update([reconciliation.against] if reconciliation.against else children_of(kpi, declarations))
        conflict = rule.spec.condition.counterpart_conflict
        if conflict and conflict.counterparts is not None:
            watched.update(conflict.counterparts)
        elif conflict and kpi in declarations.kpis and declarations.kpis[kpi].has("counterparts"):
            watched.update(counterpart.kpi for counterpart in declarations.kpis[kpi].spec.counterparts)
    return watched
