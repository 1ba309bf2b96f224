"""One rule as it runs: the KPI's window, lateness and idle unless it states its own, and its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.model.identity import digest_of
from engine.model.time import MINUTE
from engine.rules.bind_condition import bind_condition, members_of, shared_dimensions
from engine.rules.ruleset import CounterpartConflict, MissingData, ReviewSpec, Rule, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.model.time import Micros
    from engine.rules.declared import Declared
    from engine.rules.ruleset import Condition, Kpi
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.catalogue import WindowSpec

_NO_WINDOW = Window(0, 0)
"""A composite sees no windows."""

__all__ = ["bind_rule", "idle_default", "shared_dimensions"]


def idle_default(window: Window) -> Micros:
    """How long a series may be silent before its open windows close: one window's size, at least a minute."""
    return max(window.size, MINUTE)


def bind_rule(
    declared: Declared[RuleSpec],
    kpis: Mapping[str, Kpi],
    rules: Mapping[str, Declared[RuleSpec]],
    window_of: Callable[[WindowSpec], Window],
) -> Rule:
    """The running form of a rule whose references all resolve."""
    spec = declared.spec
    involved = [kpis[id_] for id_ in members_of(spec, kpis)]
    window, lateness, idle = _timing(spec, involved, window_of)
    condition = bind_condition(spec, kpis, rules, lateness)
    return Rule(
        id=spec.id,
        title=spec.title,
        kpi=spec.kpi,
        where=dict(spec.where),
        condition=condition,
        points=spec.points,
        window=window,
        lateness=lateness,
        idle=idle,
        for_=spec.for_,
        keep_firing_for=spec.keep_firing_for,
        severity=spec.severity,
        mode=spec.mode,
        owner=spec.owner,
        review=_review(spec),
        known_gaps=tuple(spec.known_gaps),
        declared=declared.data["condition"],
        fingerprint=digest_of(_deciding(spec, condition, involved, kpis, rules, (window, lateness, idle))),
    )


def _timing(
    spec: RuleSpec, involved: list[Kpi], window_of: Callable[[WindowSpec], Window]
) -> tuple[Window, Micros, Micros]:
    """(window, lateness, idle); of a conflict, the longest lateness and idle of all its sides."""
    if not involved:
        return _NO_WINDOW, 0, 0
    window = window_of(spec.window) if spec.window else involved[0].window
    lateness = spec.lateness if spec.lateness is not None else max(kpi.lateness for kpi in involved)
    inherited = idle_default(window) if spec.window else max(kpi.idle for kpi in involved)
    return window, lateness, spec.idle or inherited


def _review(spec: RuleSpec) -> ReviewSpec:
    close = spec.review.close or ("on_answer" if spec.severity == "critical" else "on_recovery")
    review = spec.review
    return ReviewSpec(review.due_in, tuple(review.participants), review.question, review.runbook, close)


def _deciding(
    spec: RuleSpec,
    condition: Condition,
    involved: list[Kpi],
    kpis: Mapping[str, Kpi],
    rules: Mapping[str, Declared[RuleSpec]],
    timing: tuple[Window, Micros, Micros],
) -> dict[str, Any]:
    """Everything that decides verdicts, and nothing else: no title, severity, mode or review."""
    return {
        "kpi": spec.kpi,
        "where": spec.where,
        "points": spec.points,
        "condition": condition,
        "timing": timing,
        "for": spec.for_,
        "keep_firing_for": spec.keep_firing_for,
        "sides": {kpi.id: (kpi.aggregation, kpi.direction) for kpi in involved}
        if not isinstance(condition, MissingData)
        else {},
        "joined": {kpi.id: kpi.dimensions for kpi in involved} if isinstance(condition, CounterpartConflict) else {},
        "declared_series": involved[0].series if isinstance(condition, MissingData) else (),
        "members": _members(spec, kpis, rules),
    }


def _members(
    spec: RuleSpec, kpis: Mapping[str, Kpi], rules: Mapping[str, Declared[RuleSpec]]
) -> dict[str, Any]:
    """A composite rests on the verdicts of its rules."""
    composite = spec.condition.composite
    if composite is None:
        return {}
    members = {}
    for id_ in sorted(set(composite.rules)):
        member = rules[id_]
        members[id_] = (member.data["condition"], member.data.get("where"), kpis[str(member.spec.kpi)].dimensions)
    return members
