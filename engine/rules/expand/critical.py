"""A rule that says when it is critical as well: two rules, of which the louder one hushes the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.expand.derived import declare_derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec


def expand_critical(declarations: Declarations) -> Iterator[Problem]:
    """Put two rules in the place of each: ID, and ID.critical with the other condition."""
    written = [rule for rule in declarations.rules.values() if rule.has("critical", "condition")]
    for rule in written:
        if rule.spec.critical is not None:
            yield from _severity(rule)
            del declarations.rules[rule.id]
            apart = ("critical",) if rule.spec.no_data.then == "ok" else ("critical", "no_data")
            common = {key: value for key, value in rule.data.items() if key not in apart}
            louder = f"{rule.id}.critical"
            quiet = {**common, "inhibited_by": [*_inhibited_by(rule), louder]}
            loud = {**common, "id": louder, "condition": rule.data["critical"], "severity": "critical"}
            for data in (quiet, loud):
                yield from declare_derived(declarations, rule.document, (), data)


def _inhibited_by(rule: Declared[RuleSpec]) -> list[object]:
    listed = rule.data.get("inhibited_by")
    return listed if isinstance(listed, list) else []


def _severity(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    if rule.has("severity") and rule.spec.severity == "critical":
        yield rule.problem(
            ("severity",),
            "critical-twice",
            expected="`severity: info` or `warning` beside `critical`",
            found="critical",
            mend="leave it out: it says how loud the rule is before it is critical",
        )
