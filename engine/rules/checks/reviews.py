"""What a review gathers and when it speaks again: dimensions that series have, steps that something can worsen by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.rules.checks.dimensions import foreign_names, named_kpi
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec

_GROUPABLE = ("threshold", "change", "trend_break", "anomaly", "control_chart")
_WITHOUT_SIZE = {
    "trend_break": "a break has one size; with `group_by` it counts the series that broke",
    "anomaly": "an incident is told once; with `group_by` it counts the series that are unusual",
    "control_chart": "a process is in control or not; with `group_by` it counts the series that are not",
    "governance": "how a KPI is governed has no size",
}
"""Why a step makes no sense where the rule has no `group_by`."""
_GATHERING = ("missing_data", "composite")


def check_reviews(declarations: Declarations) -> Iterator[Problem]:
    """`group_by`, `limit`, `sensitive` and `renotify`."""
    for kpi in declarations.kpis.values():
        if kpi.has("sensitive", "dimensions"):
            yield from foreign_names(kpi, ("sensitive",), kpi.spec.sensitive, kpi)
    for rule in declarations.rules.values():
        if not rule.has("condition", "group_by"):
            continue
        if rule.spec.group_by is not None:
            yield from _group(rule, declarations)
        if rule.has("limit") and rule.spec.limit is not None:
            yield from _limit(rule)
        if rule.has("review") and rule.spec.review.renotify is not None:
            yield from _renotify(rule)


def _kind(rule: Declared[RuleSpec]) -> str:
    condition: dict[str, Any] = rule.data["condition"]
    return str(next(iter(condition)))


def _group(rule: Declared[RuleSpec], declarations: Declarations) -> Iterator[Problem]:
    if _kind(rule) not in _GROUPABLE:
        yield rule.problem(
            ("group_by",),
            "group-by",
            expected="`group_by` only with threshold, change, trend_break, anomaly or control_chart",
            found=f"it with {_kind(rule)}",
            mend="leave it out: this condition says itself what belongs together",
            at_key=True,
        )
        return
    kpi = named_kpi(rule.data.get("kpi"), declarations)
    yield from foreign_names(rule, ("group_by",), rule.spec.group_by or [], kpi)


def _limit(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    if _kind(rule) not in _GROUPABLE:
        found, mend = f"it with {_kind(rule)}", "leave it out: this condition says itself what belongs together"
    elif rule.spec.group_by is not None:
        found, mend = "it beside `group_by`", "leave one of the two out: a group is one review, however many series"
    else:
        return
    yield rule.problem(
        ("limit",),
        "review-limit",
        expected="`limit` only with threshold, change, trend_break, anomaly or control_chart, and without `group_by`",
        found=found,
        mend=mend,
        at_key=True,
    )


def _renotify(rule: Declared[RuleSpec]) -> Iterator[Problem]:
    kind, step = _kind(rule), rule.spec.review.renotify
    if kind in _GATHERING or rule.spec.group_by is not None:
        if step is not None and not step.relative and step.value != int(step.value):
            yield rule.problem(
                ("review", "renotify"),
                "renotify",
                expected="a percentage or a whole number, as members of a group are counted",
                found=shown(step.value),
                mend="write for instance `50%` or `10`",
            )
    elif kind in _WITHOUT_SIZE:
        yield rule.problem(
            ("review", "renotify"),
            "renotify",
            expected=f"no `renotify` with {kind}",
            found="one",
            mend=f"leave it out: {_WITHOUT_SIZE[kind]}",
        )
