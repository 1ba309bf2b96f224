"""A rule looks no further back than measurements are kept. Needs to be told how long that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY, HOUR
from engine.rules.looks_back import look_back_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.rules.declared import Declarations, Declared
    from engine.rules.looks_back import LookBack
    from engine.rules.problems import Problem
    from engine.rules.ruleset import RuleSet
    from engine.rules.source import Path_
    from engine.rules.spec import RuleSpec


def check_kept(declarations: Declarations, rule_set: RuleSet, kept: Micros) -> Iterator[Problem]:
    """A warning for each rule that a state made anew from the log would not let fire before the log has grown."""
    for rule in rule_set.rules:
        declared = declarations.rules.get(rule.id)
        if declared is not None and rule.mode != "off":
            back = look_back_of(rule)
            if back.time > kept:
                yield _problem(declared, back, kept)


def _problem(rule: Declared[RuleSpec], back: LookBack, kept: Micros) -> Problem:
    return rule.problem(
        _place(rule, back.most_by),
        "longer-than-kept",
        expected=f"a rule that looks back on at most the {span(kept)} that measurements are kept",
        found=f"one that looks back on {span(back.time)}",
        mend="keep measurements for longer and say so with `--kept`, or look back less far: a state that must be made "
        "anew from the log knows nothing of before, and until enough has come again the rule is silent or sees a part",
        severity="warning",
    )


def _place(rule: Declared[RuleSpec], field: str) -> Path_:
    """The window may be the KPI's."""
    if field == "condition":
        [name] = rule.spec.condition.model_fields_set
        return ("condition", name)
    return (field,) if field in rule.data else ("kpi",)


def span(time: Micros) -> str:
    """`90 days`, `36 hours`; what is no whole number of them to one decimal."""
    unit, name = (DAY, "day") if time >= 2 * DAY else (HOUR, "hour")
    said = f"{time / unit:.1f}".removesuffix(".0")
    return f"{said} {name}" if said == "1" else f"{said} {name}s"
