"""Windows are long enough for measurements to fall into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.bind_kpi import window_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import KpiSpec, RuleSpec


def check_sparse(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each window, of a KPI or of a rule, that is shorter than the KPI's cadence.

    Not for calendar days, the longest of calendar windows: a value a month is better kept on its own day.
    """
    for kpi in declarations.kpis.values():
        if kpi.has("cadence", "window") and _is_sparse(kpi, kpi):
            yield _problem(kpi, kpi.id)
    for rule in declarations.rules.values():
        watched = declarations.kpis.get(str(rule.data.get("kpi")))
        if watched is not None and watched.has("cadence") and rule.has("window") and _is_sparse(rule, watched):
            yield _problem(rule, watched.id)


def _is_sparse(declared: Declared[KpiSpec] | Declared[RuleSpec], kpi: Declared[KpiSpec]) -> bool:
    window, cadence = declared.spec.window, kpi.spec.cadence
    return window is not None and cadence is not None and window.every != "day" and window_of(window).size < cadence


def _problem(declared: Declared[KpiSpec] | Declared[RuleSpec], kpi: str) -> Problem:
    return declared.problem(
        ("window",),
        "sparse-windows",
        expected=f"windows at least as long as the `cadence` of {kpi}",
        found="shorter ones, many of which are empty",
        mend="make the window longer, or the cadence what it really is",
        severity="warning",
    )
