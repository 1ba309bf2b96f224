"""A composite joins rules on single series, on dimensions that all of them have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.references import walk
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.composite import CompositeSpec

_NO_SERIES = ("counterpart_conflict", "reconciliation", "off_track", "composite", "governance")
_PARTS = (("all",), ("any",), ("at_least", "of"), ("sequence",), ("not",), ("absent",))
"""Where a composite names rules."""


def check_composites(declarations: Declarations) -> Iterator[Problem]:
    """Members that are joined themselves or off, and scopes that a member does not have."""
    for rule in declarations.rules.values():
        composite = rule.spec.condition.composite if rule.has("condition") else None
        if composite is None:
            continue
        for place, name in _named(rule):
            member = declarations.rules.get(name)
            if member:
                yield from _member(rule, member, place)
                yield from _scope(rule, composite, member, declarations)


def _named(rule: Declared[RuleSpec]) -> Iterator[tuple[Path_, str]]:
    for part in _PARTS:
        yield from walk(rule.data, ("condition", "composite", *part, "*"))


def _member(rule: Declared[RuleSpec], member: Declared[RuleSpec], place: Path_) -> Iterator[Problem]:
    condition = member.data.get("condition")
    joined = [name for name in _NO_SERIES if isinstance(condition, dict) and name in condition]
    if joined:
        yield rule.problem(
            place,
            "composite-member",
            expected="a rule on single series",
            found=f"{shown(member.id)}, a {joined[0]}",
            mend="name rules with a threshold, change, trend_break, anomaly, control_chart or missing_data",
        )
    elif member.has("mode") and member.spec.mode == "off":
        yield rule.problem(
            place,
            "member-off",
            expected="a rule that is on",
            found=f"{shown(member.id)}, which is off",
            mend="switch it on or to shadow: what is off never fires",
            severity="warning",
        )


def _scope(
    rule: Declared[RuleSpec], composite: CompositeSpec, member: Declared[RuleSpec], declarations: Declarations
) -> Iterator[Problem]:
    kpi = declarations.kpis.get(str(member.data.get("kpi")))
    if kpi is None or not kpi.has("dimensions"):
        return
    for index, name in enumerate(composite.scope or []):
        if name not in kpi.spec.dimensions:
            yield rule.problem(
                ("condition", "composite", "scope", index),
                "unknown-dimension",
                expected="dimensions that the KPIs of all rules have",
                found=f"{shown(name)}, which {kpi.id} does not",
                mend=f"leave it out, or add it to the dimensions of {kpi.id}",
            )
