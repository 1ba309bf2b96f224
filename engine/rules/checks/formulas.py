"""KPIs with a formula: what stands in it can be divided and added up, and nobody else sends their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.model.formula import formula_of
from engine.rules.bind_kpi import window_of
from engine.rules.bind_watched import others_named
from engine.rules.checks.references import walk
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec

_PLACE: Final[Path_] = ("formula",)
_OF_MEASURED: Final = ("aggregation", "lateness", "grace", "sources", "rolls_up_to")
"""What says how measurements are taken, and a KPI with a formula takes none."""
_MEASURED: Final = (("source", ("map", "*", "kpi")), ("table", ("map", "*", "kpi")), ("test", ("measurements", "*")))
_MERGED: Final = ("counterpart_conflict", "reconciliation", "off_track")
"""Conditions that merge what stands in a formula themselves, by whatever windows."""


def check_formulas(declarations: Declarations) -> Iterator[Problem]:
    """Formulas of measured KPIs that have the dimensions asked for; rules on them by their windows; no measurements."""
    derived = {id_: kpi for id_, kpi in declarations.kpis.items() if _is_derived(kpi)}
    for kpi in declarations.kpis.values():
        yield from _one_of_both(kpi)
    for kpi in derived.values():
        yield from _parts(kpi, declarations)
        if kpi.has("window") and window_of(kpi.spec.window).overlaps:
            yield _overlapping(kpi)
    for rule in declarations.rules.values():
        if rule.has("condition", "kpi") and rule.spec.kpi in declarations.kpis:
            yield from _rule(rule, derived, declarations)
    for kind, path in _MEASURED if derived else ():
        for declared in declarations.of_kind(kind).values():
            for place, value in walk(declared.data, path):
                yield from _measured(declared, place, value, derived)


def _one_of_both(kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    """A KPI is measured, or worked out; read from the data, so that an unsound formula is one as well."""
    if "formula" not in kpi.data:
        if "aggregation" not in kpi.data:
            yield kpi.problem(
                (),
                "missing-field",
                expected="the field `aggregation`",
                found="none",
                mend="add `aggregation: sum`, or a `formula` of other KPIs",
            )
        return
    for name in _OF_MEASURED:
        if name in kpi.data:
            yield kpi.problem(
                (name,),
                "measured-and-derived",
                expected=f"no `{name}` beside `formula`: it follows from the KPIs there",
                found=shown(kpi.data[name]),
                mend="leave one of the two out",
                at_key=True,
            )


def _is_derived(kpi: Declared[KpiSpec]) -> bool:
    return kpi.has("formula") and kpi.spec.formula is not None


def _parts(kpi: Declared[KpiSpec], declarations: Declarations) -> Iterator[Problem]:
    for name in formula_of(str(kpi.spec.formula)).kpis:
        part = declarations.kpis.get(name)
        if part is None:
            if name not in declarations.known["kpi"] and "kpi" not in declarations.incomplete:
                yield _unknown(kpi, name, declarations.known["kpi"])
        elif _is_derived(part):
            yield kpi.problem(
                _PLACE,
                "formula-of-formula",
                expected="KPIs that are measured",
                found=f"{shown(name)}, which has a formula itself",
                mend=f"write {shown(str(part.spec.formula))} in brackets in its place",
            )
        elif kpi.has("dimensions") and part.has("dimensions"):
            yield from _dimensions(kpi, part)


def _unknown(kpi: Declared[KpiSpec], name: str, known: set[str]) -> Problem:
    spaced = all(each in known for each in name.split("-")) and "-" in name
    otherwise = "declare it with `kind: kpi`, or use " + choices(sorted(known - {kpi.id}))
    return kpi.problem(
        _PLACE,
        "unknown-kpi",
        expected="a KPI that is declared",
        found=shown(name),
        mend=f"write spaces around the minus: {shown(name.replace('-', ' - '))}"
        if spaced
        else suggestion(name, known - {kpi.id}, otherwise),
    )


def _dimensions(kpi: Declared[KpiSpec], part: Declared[KpiSpec]) -> Iterator[Problem]:
    for index, name in enumerate(kpi.spec.dimensions):
        if name not in part.spec.dimensions:
            yield kpi.problem(
                ("dimensions", index),
                "formula-dimension",
                expected=f"a dimension that {part.id} has as well",
                found=shown(name),
                mend=f"leave it out, or add it to the dimensions of {part.id}",
            )


def _overlapping(kpi: Declared[KpiSpec]) -> Problem:
    return kpi.problem(
        ("window",),
        "overlapping-windows",
        expected="windows of a formula that do not overlap",
        found="others, of which several would end with each value",
        mend="leave `size` and `since` out",
    )


def _rule(
    rule: Declared[RuleSpec], derived: dict[str, Declared[KpiSpec]], declarations: Declarations
) -> Iterator[Problem]:
    spec, own = rule.spec, derived.get(str(rule.spec.kpi))
    condition = spec.condition
    if any(getattr(condition, name) for name in _MERGED):
        return
    if own is not None and own.has("window"):
        yield from _cut_otherwise(rule, own)
        yield from () if condition.missing_data else _waits(rule, own)
    if condition.governance is None or condition.governance.set_and_forget or condition.governance.moved_goalposts:
        return
    kpis = {id_: kpi.spec for id_, kpi in declarations.kpis.items() if kpi.has("objective", "role", "target")}
    named = others_named(condition.governance, kpis[spec.kpi], kpis) if spec.kpi in kpis else []
    for name in (str(spec.kpi), *named):
        if name in derived and derived[name].spec.dimensions:
            yield _rolled_up(rule, derived[name])


def _cut_otherwise(rule: Declared[RuleSpec], kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    other = rule.has("window") and rule.spec.window and window_of(rule.spec.window) != window_of(kpi.spec.window)
    raw = rule.has("points") and rule.spec.points == "raw"
    if other or raw:
        yield rule.problem(
            ("window",) if other else ("points",),
            "formula-window",
            expected=f"the windows of {kpi.id}, for each of which it has one value",
            found="others" if other else "raw",
            mend="leave it out, or declare a KPI with this formula and window",
        )


def _waits(rule: Declared[RuleSpec], kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    """What would never be looked at: a value that was worked out is all that its window holds."""
    for name in ("lateness", "idle"):
        if name in rule.data:
            yield rule.problem(
                (name,),
                "formula-window",
                expected=f"no `{name}`: the windows of {kpi.id} wait for nothing once its value is there",
                found=shown(rule.data[name]),
                mend="leave it out, or say it of the KPIs in the formula",
                at_key=True,
            )


def _rolled_up(rule: Declared[RuleSpec], kpi: Declared[KpiSpec]) -> Problem:
    return rule.problem(
        ("condition", "governance"),
        "formula-rolled-up",
        expected="KPIs as a whole: one with a formula has no dimensions then",
        found=f"{shown(kpi.id)} by {choices(kpi.spec.dimensions)}",
        mend="declare a KPI with the same formula and no `dimensions`, and watch that",
        at_key=True,
    )


def _measured(
    declared: Declared[Any], place: Path_, value: object, derived: dict[str, Declared[KpiSpec]]
) -> Iterator[Problem]:
    if isinstance(value, dict):
        place, value = (*place, "kpi"), value.get("kpi")
    if isinstance(value, str) and value in derived:
        parts = ", ".join(formula_of(str(derived[value].spec.formula)).kpis)
        yield declared.problem(
            place,
            "measured-and-derived",
            expected="a KPI that is measured",
            found=f"{shown(value)}, which is worked out from {parts}",
            mend="give measurements of those",
        )
