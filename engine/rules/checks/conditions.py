"""Each condition has what it needs of its KPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec


def check_conditions(declarations: Declarations) -> Iterator[Problem]:
    """A KPI where there must be one, raw points only where they can be judged, a cadence for silence."""
    for rule in declarations.rules.values():
        if rule.has("condition"):
            yield from _kpi(rule)
            yield from _points(rule)
            yield from _many_points(rule)
            yield from _cadence(rule, declarations)
            yield from _declared_series(rule, declarations)


def _kpi(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    composite = rule.spec.condition.composite is not None
    if not composite and "kpi" not in rule.data:
        yield rule.problem(
            (),
            "missing-field",
            expected="the field `kpi`",
            found="none",
            mend="add `kpi: <id of a KPI>`; only a composite goes without",
        )
    for name in ("kpi", "where", "window", "lateness", "grace", "idle") if composite else ():
        if name in rule.data:
            yield rule.problem(
                (name,),
                "composite-field",
                expected=f"no `{name}` beside `composite`",
                found="one",
                mend="leave it out: a composite looks at rules, not at a KPI",
                at_key=True,
            )


def _points(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    if rule.has("points") and rule.spec.points == "raw" and rule.spec.condition.threshold is None:
        yield rule.problem(
            ("points",),
            "raw-points",
            expected="`points: raw` only with `threshold`",
            found="another condition",
            mend="leave it out: this condition sees windows",
        )


_MANY: Final = ("at_least", "warm_up")
"""Fields that count points."""
_POINTLESS: Final = {
    "missing_data": "silence is no point that could be counted, and `after` says how long it must last",
    "composite": "it goes by what its members say, which is no row of points; give it to the members",
    "governance": "it is asked of all the past that a KPI has; its own fields say how many windows that is",
}
"""Conditions that are not judged point by point, and why nothing can be counted there."""


def _many_points(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    kinds = sorted(rule.spec.condition.model_fields_set & _POINTLESS.keys())
    for name in _MANY if kinds else ():
        if name in rule.data and rule.has(name):
            yield rule.problem(
                (name,),
                "many-points",
                expected=f"no `{name}` with {kinds[0]}",
                found="one",
                mend=f"leave it out: {_POINTLESS[kinds[0]]}",
                at_key=True,
            )


def _cadence(rule: Declared[RuleSpec], declarations: Declarations) -> Iterator[Problem]:
    missing, ends = rule.spec.condition.missing_data, rule.spec.no_data.then == "ok"
    after = rule.spec.no_data.after if missing is None else missing.after
    kpi = declarations.kpis.get(str(rule.data.get("kpi")))
    if not (missing or ends) or after is not None or kpi is None:
        return
    if kpi.has("cadence") and kpi.spec.cadence is None:
        example = "missing_data: {after: 2d}" if missing else "no_data: {then: ok, after: 2d}"
        yield rule.problem(
            ("condition", "missing_data") if missing else ("no_data",),
            "no-cadence",
            expected=f"`after` here, or a `cadence` of {kpi.id}",
            found="neither",
            mend=f"say how long {shown(kpi.id)} may be silent, for instance `{example}`",
        )


def _declared_series(rule: Declared[RuleSpec], declarations: Declarations) -> Iterator[Problem]:
    """Silence is that of a series that is declared: nobody knows of any other that it ought to speak."""
    kpi = declarations.kpis.get(str(rule.data.get("kpi")))
    if rule.spec.condition.missing_data is None or kpi is None:
        return
    if kpi.has("series") and kpi.has("dimensions") and kpi.spec.dimensions and not kpi.spec.series:
        yield rule.problem(
            ("condition", "missing_data"),
            "nothing-declared",
            expected=f"`series` of {kpi.id} that are declared to exist",
            found="none",
            mend=f"list them in {shown(kpi.id)}, for instance `series: [{{{kpi.spec.dimensions[0]}: ...}}]`; "
            "silence of a series that is not declared is not noticed",
            severity="warning",
        )
