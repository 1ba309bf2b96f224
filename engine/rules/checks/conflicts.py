"""Both sides of a counterpart conflict can be held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.checks.timing import kpi_window, rule_window
from engine.rules.wording import choices, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.source import Path_
    from engine.rules.spec import KpiSpec, RuleSpec
    from engine.rules.spec.catalogue import CounterpartSpec
    from engine.rules.spec.conditions import ConflictSpec

_CONFLICT: Path_ = ("condition", "counterpart_conflict")


def check_conflicts(declarations: Declarations) -> Iterator[Problem]:
    """Counterparts that are declared, cut by the same windows, with a good direction where one is needed."""
    for rule in declarations.rules.values():
        conflict = rule.spec.condition.counterpart_conflict if rule.has("condition") else None
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if conflict is None or kpi is None:
            continue
        if conflict.improves.level is None:
            yield from _direction(rule, kpi, (*_CONFLICT, "improves"))
        if kpi.has("counterparts"):
            yield from _declared(rule, conflict, kpi)
            yield from _sides(rule, conflict, kpi, declarations)


def _declared(rule: Declared[RuleSpec], conflict: ConflictSpec, kpi: Declared[KpiSpec]) -> Iterator[Problem]:
    known = [counterpart.kpi for counterpart in kpi.spec.counterparts]
    if not known:
        yield rule.problem(
            _CONFLICT,
            "no-counterparts",
            expected=f"counterparts of {kpi.id}",
            found="none",
            mend=f"add `counterparts` to {kpi.id}: the rule judges those",
        )
        return
    for index, name in enumerate(conflict.counterparts or []):
        if name not in known:
            yield rule.problem(
                (*_CONFLICT, "counterparts", index),
                "not-a-counterpart",
                expected=f"a counterpart of {kpi.id}: {choices(known)}",
                found=shown(name),
                mend=suggestion(name, known, f"use one of these, or add it to the counterparts of {kpi.id}"),
            )


def _sides(
    rule: Declared[RuleSpec], conflict: ConflictSpec, kpi: Declared[KpiSpec], declarations: Declarations
) -> Iterator[Problem]:
    chosen = conflict.counterparts
    others: list[Declared[KpiSpec]] = []
    for counterpart in kpi.spec.counterparts:
        if chosen is not None and counterpart.kpi not in chosen:
            continue
        yield from _windows(rule, kpi, counterpart, declarations)
        for name in filter(None, (counterpart.kpi, counterpart.per)):
            other = declarations.kpis.get(name)
            if other and conflict.worsens.level is None and name == counterpart.kpi:
                yield from _direction(rule, other, (*_CONFLICT, "worsens"))
            others += [other] if other else []
    yield from check_shared(rule, kpi, others, "conflict")


def _windows(
    rule: Declared[RuleSpec], kpi: Declared[KpiSpec], counterpart: CounterpartSpec, declarations: Declarations
) -> Iterator[Problem]:
    if "window" in rule.data:
        return  # the rule cuts all sides by its own
    window = rule_window(rule, declarations)
    for name in filter(None, (counterpart.kpi, counterpart.per)):
        other = kpi_window(name, declarations)
        if window is not None and other is not None and other != window:
            yield rule.problem(
                _CONFLICT,
                "different-windows",
                expected=f"all sides cut by the window of {kpi.id}",
                found=f"another window at {shown(name)}",
                mend="give the rule a `window` of its own: it then cuts all sides",
            )


def _direction(rule: Declared[RuleSpec], kpi: Declared[KpiSpec], path: Path_) -> Iterator[Problem]:
    if kpi.has("direction") and kpi.spec.direction == "in_band":
        yield rule.problem(
            path,
            "no-direction",
            expected=f"a level for {shown(kpi.id)}, whose direction is in_band",
            found="a change `by` a share",
            mend="write `above` or `below`: neither way is better for it",
        )


def check_shared(
    rule: Declared[RuleSpec], kpi: Declared[KpiSpec], others: Iterable[Declared[KpiSpec]], joined: str
) -> Iterator[Problem]:
    """What `where` names are dimensions that all sides have."""
    if not kpi.has("dimensions"):
        return
    sets = [set(other.spec.dimensions) for other in others if other.has("dimensions")]
    shared = set(kpi.spec.dimensions).intersection(*sets)
    where = rule.data.get("where")
    for name in where if isinstance(where, dict) else ():
        if name not in shared and name in kpi.spec.dimensions:
            yield rule.problem(
                ("where", name),
                "unshared-dimension",
                expected=f"a dimension that all sides of the {joined} have",
                found=shown(name),
                mend="leave it out, or add it to the other sides",
                at_key=True,
            )
