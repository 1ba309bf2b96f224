"""Selectors mean some series, and are no dearer than they need be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engine.rules.resolved.selector import Selector, selects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import KpiSpec, RuleSpec

_WORDS: Final = re.compile(r"[\w -]+(\|[\w -]+)*")
_OPEN: Final = (".*", ".+")


def check_selectors(declarations: Declarations) -> Iterator[Problem]:
    """A warning for a `where` that holds of none of the series which its KPI declares, and for patterns that a list of
    values would say, or that match everything first.
    """
    for rule in declarations.rules.values():
        if "where" in rule.data and rule.has("where"):
            yield from _patterns(rule)
            kpi = declarations.kpis.get(str(rule.data.get("kpi")))
            if kpi is not None and kpi.has("series"):
                yield from _nothing_selected(rule, kpi)


def _nothing_selected(rule: Declared[RuleSpec], kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    declared = kpi.spec.series
    if declared and not any(selects(rule.spec.where, series) for series in declared):
        yield rule.problem(
            ("where",),
            "nothing-selected",
            expected=f"what holds of one at least of the {len(declared)} series that {kpi.id} declares",
            found="what holds of none",
            mend="mend it, or declare the series that is meant",
            severity="warning",
            at_key=True,
        )


def _patterns(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    for name, wanted in rule.spec.where.items():
        pattern = wanted.pattern if isinstance(wanted, Selector) else None
        if pattern is None:
            continue
        if _WORDS.fullmatch(pattern):
            listed = ", ".join(pattern.split("|"))
            yield _dear(rule, name, f'"{pattern}"', f"write `[{listed}]`: it says the same, and is looked up")
        elif pattern.startswith(_OPEN) and pattern.endswith(_OPEN) and len(pattern) > len(_OPEN[0]):
            yield _dear(rule, name, f'"{pattern}"', "say how the value begins or ends, or make it a dimension")


def _dear(rule: Declared[RuleSpec], name: str, found: str, mend: str) -> Problem:
    return rule.problem(
        ("where", name),
        "dear-pattern",
        expected="a pattern that needs to be one, anchored at one end at least",
        found=found,
        mend=mend,
        severity="warning",
    )
