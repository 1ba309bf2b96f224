"""Targets lie ahead, and reviews are due while something can still be done about them. Needs to be told the date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from engine.rules.spec.scalars import PERIOD_ENDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import KpiSpec, RuleSpec

_DAYS_A_WORKING_DAY: Final = 7 / 5


def check_deadlines(declarations: Declarations, today: date) -> Iterator[Problem]:
    """A warning for each target whose date has passed, and for each review that would be due after its KPI's."""
    ends = {id_: _end(kpi) for id_, kpi in declarations.kpis.items()}
    for id_, kpi in declarations.kpis.items():
        end = ends[id_]
        if end is not None and end < today:
            yield _passed(kpi, end)
    for rule in declarations.rules.values():
        end = ends.get(str(rule.data.get("kpi")))
        if end is not None and end >= today and rule.has("review") and _due(rule, today) > end:
            yield _late(rule, end)


def _end(kpi: Declared[KpiSpec]) -> date | None:
    """When the target is to be reached; none for one that comes again with every period."""
    target = kpi.spec.target if kpi.has("target") else None
    if target is None or target.by in PERIOD_ENDS:
        return None
    return date.fromisoformat(target.by)


def _due(rule: Declared[RuleSpec], today: date) -> date:
    """When a review would be due that is called today."""
    due = rule.spec.review.due_in
    if due is None:
        return today
    return today + timedelta(microseconds=due.micros, days=due.days * _DAYS_A_WORKING_DAY)


def _passed(kpi: Declared[KpiSpec], end: date) -> Problem:
    return kpi.problem(
        ("target", "by"),
        "target-passed",
        expected="a date that is still to come",
        found=end.isoformat(),
        mend="say whether it was reached and set the next target, or write `target: none`",
        severity="warning",
    )


def _late(rule: Declared[RuleSpec], end: date) -> Problem:
    return rule.problem(
        ("review", "due_in"),
        "due-after-target",
        expected=f"an answer before {end.isoformat()}, when the KPI's target is due",
        found="a review that is due later, were it called today",
        mend="make `due_in` shorter: afterwards it can no longer change the outcome",
        severity="warning",
    )
