"""A rule whose KPI depends on others: whatever calls a review on these keeps it quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.expand.derived import declare_derived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec


def expand_depends_on(declarations: Declarations) -> Iterator[Problem]:
    """Put in the place of each rule with `depends_on` one that is also `inhibited_by` every rule that is on, on a KPI
    that is named there. It is the last to be expanded: rules that others stand for count as well.
    """
    for rule in list(declarations.rules.values()):
        if not (rule.has("depends_on", "inhibited_by") and rule.spec.depends_on):
            continue
        found = [other.id for other in declarations.rules.values() if _is_above(other, rule)]
        if not found and not declarations.known["kpi"].isdisjoint(rule.spec.depends_on):
            yield _nothing(rule)
        own = [name for name in rule.spec.inhibited_by if name not in found]
        del declarations.rules[rule.id]
        data = {**rule.data, "inhibited_by": [*own, *sorted(found)]}
        yield from declare_derived(declarations, rule.document, (), data)


def _is_above(other: Declared[RuleSpec], rule: Declared[RuleSpec]) -> bool:
    is_on = not other.has("mode") or other.spec.mode == "on"
    return is_on and other.id != rule.id and other.data.get("kpi") in rule.spec.depends_on


def _nothing(rule: Declared[RuleSpec]) -> Problem:
    return rule.problem(
        ("depends_on",),
        "depends-on-nothing",
        expected="a KPI that another rule is on",
        found="none with a rule whose mode is on",
        mend="write a rule on it, or leave it out: nothing keeps this one quiet",
        severity="warning",
        at_key=True,
    )
