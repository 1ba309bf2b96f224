"""Maintenance that is for some rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import MaintenanceSpec


def check_maintenance(declarations: Declarations) -> Iterator[Problem]:
    """Documents that say of no rule that it is meant, or that mean none."""
    for document in declarations.maintenance.values():
        if not document.has("rules", "kpis"):
            continue
        if not document.spec.rules and document.spec.kpis is None:
            yield document.problem(
                (),
                "maintenance",
                expected="`rules`, `kpis` or both",
                found="none of them",
                mend="say which rules it is for: `kpis: {}` means those on all KPIs",
            )
        elif not document.spec.rules and not _means_some(document, declarations):
            yield document.problem(
                ("kpis",),
                "no-rule-meant",
                expected="what holds of a KPI that a rule is on",
                found="what holds of none",
                mend="mend it, or leave the document out",
                severity="warning",
                at_key=True,
            )


def _means_some(document: Declared[MaintenanceSpec], declarations: Declarations) -> bool:
    wanted = document.spec.kpis
    if wanted is None or "rule" in declarations.incomplete:
        return True
    on = {rule.data.get("kpi") for rule in declarations.rules.values()}
    return any(wanted.mean(kpi.data) for id_, kpi in declarations.kpis.items() if id_ in on)
