"""A KPI can be off track: it has a target with a date, and a side of it that is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.dimensions import foreign_names
from engine.rules.spec.scalars import PERIOD_ENDS
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec

_PLACE: Path_ = ("condition", "off_track")


def check_off_track(declarations: Declarations) -> Iterator[Problem]:
    """A dated target, a direction, and dimensions that the KPI has."""
    for rule in declarations.rules.values():
        condition = rule.spec.condition.off_track if rule.has("condition") else None
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if condition is None or kpi is None:
            continue
        if kpi.has("target"):
            yield from _target(rule, kpi)
        if kpi.has("direction") and kpi.spec.direction == "in_band":
            yield rule.problem(
                _PLACE,
                "no-direction",
                expected=f"a direction of {kpi.id} by which one side of its target is good",
                found=shown("in_band"),
                mend="hold its band with a `threshold: {outside: [...]}`",
                at_key=True,
            )
        yield from foreign_names(rule, (*_PLACE, "scope"), condition.scope, kpi)


def _target(rule: Declared[RuleSpec], kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    target = kpi.spec.target
    if target is not None and target.by not in PERIOD_ENDS:
        return
    yield rule.problem(
        _PLACE,
        "no-dated-target",
        expected=f"a target of {kpi.id} that is due on a date",
        found="none" if target is None else f"one that comes again at each {target.by}",
        mend=f"give {shown(kpi.id)} a target like `{{value: 50, by: 2026-12-31}}`, or leave the rule out",
        at_key=True,
    )
