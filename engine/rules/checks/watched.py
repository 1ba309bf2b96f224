"""Governance conditions have what they look at: a target, a milestone, a board, an outcome; and windows that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.rules.bind_watched import leading_of, outcome_of
from engine.rules.checks.restatements import check_restatements
from engine.rules.checks.timing import kpi_window, rule_window
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec
    from engine.rules.spec.governance import GovernanceSpec

_GOVERNANCE: Final[Path_] = ("condition", "governance")
_NOT_BESIDE: Final = {
    "where": "it looks at the whole KPI",
    "for": "it looks at many windows, or at the calendar",
    "keep_firing_for": "it looks at many windows, or at the calendar",
}


def check_watched(declarations: Declarations) -> Iterator[Problem]:
    """Rules with `governance` on KPIs that are declared soundly."""
    for rule in declarations.rules.values():
        spec = rule.spec.condition.governance if rule.has("condition") else None
        if spec is None:
            continue
        yield from _fields(rule, spec)
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if kpi is None or not kpi.has("target", "direction", "role", "objective", "rolls_up_to", "window"):
            continue
        yield from _direction(rule, spec, kpi)
        yield from _target(rule, spec, kpi)
        yield from _milestones(rule, spec, kpi, declarations)
        yield from check_restatements(rule, spec, kpi)
        yield from _others(rule, spec, kpi, declarations)


def _fields(rule: Declared[RuleSpec], spec: GovernanceSpec) -> Iterator[Problem]:
    refused = dict(_NOT_BESIDE)
    if spec.vanity is None:
        refused["window"] = "it looks at the windows that the KPI's target is about"
    for name, why in refused.items():
        if name in rule.data:
            yield rule.problem(
                (name,),
                "governance-field",
                expected=f"no `{name}` beside `governance: {spec.name}`",
                found="one",
                mend=f"leave it out: {why}",
                at_key=True,
            )


def _direction(rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    if spec.name in ("set_and_forget", "moved_goalposts") or kpi.spec.direction != "in_band":
        return
    yield rule.problem(
        (*_GOVERNANCE, spec.name),
        "no-direction",
        expected="a KPI of which one way is better",
        found=f"{shown(kpi.id)}, whose direction is in_band",
        mend="name another KPI: of this one nothing can be called good, fallen or proven",
    )


def _target(rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    if spec.name in ("set_and_forget", "always_green") and kpi.spec.target is None:
        yield rule.problem(
            (*_GOVERNANCE, spec.name),
            "no-target",
            expected=f"a target of {shown(kpi.id)}",
            found="none",
            mend="set one, or take the rule away: what is unjudged is neither green nor forgotten",
        )


def _milestones(
    rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec], declarations: Declarations
) -> Iterator[Problem]:
    if spec.unproven_milestone is None or "initiative" in declarations.incomplete:
        return
    named = [
        milestone
        for each in declarations.initiatives.values()
        for milestone in each.data.get("milestones", [])
        if isinstance(milestone, dict) and milestone.get("kpi") == kpi.id
    ]
    if not named:
        yield rule.problem(
            (*_GOVERNANCE, spec.name),
            "no-milestone",
            expected=f"an initiative with a milestone that {shown(kpi.id)} proves",
            found="none",
            mend=f"add `milestones: [{{title: ..., by: ..., kpi: {kpi.id}}}]` to an initiative",
        )


def _others(
    rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec], declarations: Declarations
) -> Iterator[Problem]:
    wrong = list(_role(rule, spec, kpi))
    yield from wrong
    window = rule_window(rule, declarations)
    if window is not None and window.overlaps and spec.name != "moved_goalposts":
        yield rule.problem(
            (*_GOVERNANCE, spec.name),
            "overlapping-windows",
            expected="windows that do not overlap",
            found="others, which share measurements",
            mend="give the KPI a `window` without `size` or `since`",
        )
    if not wrong:
        yield from _fitting(rule, spec, kpi, declarations)


def _fitting(
    rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec], declarations: Declarations
) -> Iterator[Problem]:
    """The other KPIs are there, and cut alike."""
    named = _named(rule, spec, kpi, declarations)
    if not isinstance(named, list):
        yield named
        return
    for other in named if "window" not in rule.data else ():
        windows = {kpi_window(kpi.id, declarations), kpi_window(other, declarations)}
        if None not in windows and len(windows) > 1:
            yield _otherwise_cut(rule, spec, kpi, other)


def _role(rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    wanted = {"green_over_falling": "lagging", "vanity": "leading"}.get(spec.name)
    if wanted is not None and kpi.spec.role != wanted:
        yield rule.problem(
            ("kpi",),
            "role",
            expected=f"a {wanted} KPI",
            found=f"{shown(kpi.id)}, which is {kpi.spec.role}",
            mend="name the outcome" if wanted == "lagging" else "name what should lead to it",
        )


def _named(
    rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec], declarations: Declarations
) -> list[str] | Problem:
    """The other KPIs that it looks at, or why there are none."""
    sound = [each.spec for each in declarations.kpis.values() if each.has("objective", "role", "target", "direction")]
    if spec.green_over_falling is not None:
        board = [each.id for each in leading_of(kpi.spec, sound)]
        return board or rule.problem(
            (*_GOVERNANCE, spec.name),
            "no-board",
            expected=f"leading KPIs with a target that serve the objective {shown(kpi.spec.objective)}",
            found="none",
            mend="set the target of one, or take the rule away: nothing there can be green",
        )
    if spec.vanity is None:
        return []
    outcome = spec.vanity.outcome or outcome_of(kpi.spec, sound)
    other = declarations.kpis.get(str(outcome))
    if outcome is None or outcome == kpi.id or (other is not None and other.has("role") and _is_no_outcome(other)):
        return rule.problem(
            (*_GOVERNANCE, spec.name, *(("outcome",) if spec.vanity.outcome else ())),
            "no-outcome",
            expected=f"the lagging KPI that {shown(kpi.id)} leads to, of which one way is better",
            found="none" if outcome is None else shown(outcome),
            mend="write `outcome: <id of a lagging KPI>`",
        )
    return [outcome]


def _is_no_outcome(kpi: Declared[KpiSpec]) -> bool:
    return kpi.spec.role != "lagging" or kpi.spec.direction == "in_band"


def _otherwise_cut(rule: Declared[RuleSpec], spec: GovernanceSpec, kpi: Declared[KpiSpec], other: str) -> Problem:
    mend = "give the rule a `window` of its own: it then cuts both"
    if spec.vanity is None:
        mend = "give both KPIs the same window: their targets are about it"
    return rule.problem(
        (*_GOVERNANCE, spec.name),
        "different-windows",
        expected=f"all KPIs cut by the window of {kpi.id}",
        found=f"another window at {shown(other)}",
        mend=mend,
    )
