"""What a catalogue may say but should not rest on: no target, no decision, a counterpart in the same hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.references import walk
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import KpiSpec


def check_governance(declarations: Declarations) -> Iterator[Problem]:
    """Warnings about KPIs; and the errors of counterparts that are no counterparts."""
    for kpi in declarations.kpis.values():
        yield from _targets(kpi)
        yield from _decisions(kpi)
        yield from _counterparts(kpi, declarations)


def _targets(kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    if kpi.has("target") and kpi.spec.target is None:
        yield kpi.problem(
            ("target",),
            "unjudged",
            expected="a target",
            found="none",
            mend="set one, or accept that the KPI is unjudged: never green",
            severity="warning",
        )


def _decisions(kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    if kpi.has("decision") and kpi.spec.decision == "none":
        yield kpi.problem(
            ("decision",),
            "no-decision",
            expected="a decision that moves with the KPI",
            found="none",
            mend="name it, or retire the KPI: it is a candidate for retirement",
            severity="warning",
        )


def _counterparts(kpi: Declared[KpiSpec], declarations: Declarations) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, counterpart in walk(kpi.data, ("counterparts", "*")):
        name = counterpart.get("kpi") if isinstance(counterpart, dict) else None
        if not isinstance(name, str):
            continue
        if name == kpi.id or name in seen or name == counterpart.get("per"):
            yield kpi.problem(
                (*place, "kpi"),
                "counterpart",
                expected="another KPI, named once",
                found=shown(name),
                mend="name each counterpart once; neither the KPI itself nor its own `per`",
            )
        elif _same_owner(kpi, declarations.kpis.get(name)):
            yield kpi.problem(
                (*place, "kpi"),
                "same-owner",
                expected="a counterpart that someone else answers for",
                found=f"{shown(kpi.spec.owner)} on both sides",
                mend="give one of the two another owner: nobody reviews himself",
                severity="warning",
            )
        seen.add(name)


def _same_owner(kpi: Declared[KpiSpec], other: Declared[KpiSpec] | None) -> bool:
    return other is not None and kpi.has("owner") and other.has("owner") and kpi.spec.owner == other.spec.owner
