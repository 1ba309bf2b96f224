"""One rule as it runs: the KPI's window, lateness, grace and idle unless it states its own, and its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.model.formula import formula_of
from engine.model.identity import digest_of
from engine.rules.bind_condition import bind_composite_condition, bind_condition, members_of
from engine.rules.bind_kpi import idle_default, window_of
from engine.rules.bind_review import bind_review
from engine.rules.resolved.catalogue import FIRST_VERSION, formula_in, how_of, version_of
from engine.rules.resolved.condition import (
    Change,
    Composite,
    MissingData,
    OverWindows,
    Threshold,
)
from engine.rules.resolved.governance import MovedGoalposts, SetAndForget
from engine.rules.resolved.rule import Rule
from engine.rules.resolved.timing import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.model.time import Micros
    from engine.rules.declared import Declared
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.condition import Condition
    from engine.rules.spec import RuleSpec

_NO_WINDOW = Window(0, 0)
"""Composites and moved goalposts see no windows."""


def bind_rule(declared: Declared[RuleSpec], kpis: Mapping[str, Kpi]) -> Rule:
    """The running form of a rule on series, whose KPIs are all in `kpis`."""
    spec = declared.spec
    involved = [kpis[id_] for id_ in members_of(spec, kpis)]
    window, lateness, idle = timing = _timing(spec, involved)
    condition = bind_condition(spec, kpis, lateness)
    if isinstance(condition, MovedGoalposts):  # what the KPI is, it looks at itself
        return _rule(declared, condition, (_NO_WINDOW, 0, 0), {"kpi": spec.kpi})
    deciding = {
        "kpi": spec.kpi,
        "where": spec.where,
        "points": spec.points,
        "timing": timing,
        "joined": {kpi.id: kpi.dimensions for kpi in involved} if isinstance(condition, OverWindows) else {},
        "sides": {} if isinstance(condition, MissingData) else _sides(involved, kpis),
        "declared_series": involved[0].series if isinstance(condition, MissingData) else (),
        **_told(spec, condition),
    }
    grace = spec.grace if spec.grace is not None else max(kpi.grace for kpi in involved)
    deciding |= _written(grace=grace, at_least=_at_least(spec), warm_up=spec.warm_up)
    ends_after = _ends_after(spec, involved[0], timing)
    deciding |= _written(versions=_versions(spec, condition, involved), ends_after=ends_after)
    rule = _rule(declared, condition, (window, lateness, idle), deciding)
    return msgspec.structs.replace(
        rule,
        grace=grace,
        at_least=_at_least(spec),
        warm_up=spec.warm_up,
        ends_after=ends_after or msgspec.UNSET,
    )


def bind_composite(declared: Declared[RuleSpec], kpis: Mapping[str, Kpi], rules: Mapping[str, Rule]) -> Rule:
    """The running form of a composite, whose members are all in `rules`: it rests on their verdicts."""
    composite = declared.spec.condition.composite
    assert composite is not None  # noqa: S101 - the caller has looked
    condition = bind_composite_condition(composite, kpis, rules)
    deciding = {"members": {id_: rules[id_].fingerprint for id_ in condition.members}}
    return _rule(declared, condition, (_NO_WINDOW, 0, 0), deciding)


def _rule(
    declared: Declared[RuleSpec], condition: Condition, timing: tuple[Window, Micros, Micros], deciding: dict[str, Any]
) -> Rule:
    spec = declared.spec
    return Rule(
        id=spec.id,
        title=spec.title,
        kpi=None if isinstance(condition, Composite) else spec.kpi,
        where=dict(spec.where),
        condition=condition,
        points=spec.points,
        window=timing[0],
        lateness=timing[1],
        idle=timing[2],
        for_=spec.for_,
        keep_firing_for=spec.keep_firing_for,
        severity=spec.severity,
        mode=spec.mode,
        owner=spec.owner,
        review=bind_review(spec),
        known_gaps=tuple(spec.known_gaps),
        declared=declared.data["condition"],
        fingerprint=_fingerprint(spec, condition, deciding),
        group_by=None if spec.group_by is None else tuple(sorted(set(spec.group_by))),
        inhibited_by=tuple(sorted(set(spec.inhibited_by))),
        notify_within=spec.notify_within,
        limit=msgspec.UNSET if spec.limit is None else spec.limit,
    )


def _fingerprint(spec: RuleSpec, condition: Condition, deciding: dict[str, Any]) -> str:
    """Over everything that decides verdicts, and nothing else: no title, severity, mode or due time."""
    deciding = {**deciding, "condition": condition, "for": spec.for_, "keep_firing_for": spec.keep_firing_for}
    return digest_of(deciding)


def _told(spec: RuleSpec, condition: Condition) -> dict[str, Any]:
    """What decides which findings there are and what they are about. Nothing where it is not written, as below."""
    told: dict[str, Any] = {}
    if spec.group_by is not None:
        told["group_by"] = sorted(set(spec.group_by))
    elif spec.review.renotify is not None and isinstance(condition, Threshold | Change):
        told["renotify"] = spec.review.renotify
    if spec.limit is not None:
        told["limit"] = True  # that there is one decides where findings go, not how many it lets through
    return told


def _written(**fields: object) -> dict[str, Any]:
    """What is not nothing: rules that do not have it keep the fingerprints from before there was such a thing."""
    return {name: value for name, value in fields.items() if value}


def _versions(spec: RuleSpec, condition: Condition, involved: list[Kpi]) -> dict[str, str]:
    """The versions of the KPIs whose numbers it remembers: with another one it begins anew. First ones are not written.

    A threshold stands in the rule, and holds for whatever the KPI is, unless it counts points; silence and the age of
    a target are not in the numbers.
    """
    forgetful = isinstance(condition, Threshold) and not spec.at_least and not spec.warm_up
    if forgetful or isinstance(condition, MissingData | SetAndForget):
        return {}
    return {kpi.id: version_of(kpi) for kpi in involved if version_of(kpi) != FIRST_VERSION}


def _at_least(spec: RuleSpec) -> tuple[int, int] | None:
    return None if spec.at_least is None else (spec.at_least.m, spec.at_least.of)


def _ends_after(spec: RuleSpec, kpi: Kpi, timing: tuple[Window, Micros, Micros]) -> Micros | None:
    """Of `no_data: ok`. What was measured is judged first: the windows that it is in must have closed."""
    if spec.no_data.then != "ok":
        return None
    after = (spec.no_data.after or kpi.cadence or 0) + timing[1]
    return after if spec.points == "raw" else max(after, timing[2])


def _timing(spec: RuleSpec, involved: list[Kpi]) -> tuple[Window, Micros, Micros]:
    """(window, lateness, idle); of one that joins KPIs, the longest lateness and idle of all its sides."""
    window = window_of(spec.window) if spec.window else involved[0].window
    lateness = spec.lateness if spec.lateness is not None else max(kpi.lateness for kpi in involved)
    inherited = idle_default(window) if spec.window else max(kpi.idle for kpi in involved)
    return window, lateness, spec.idle or inherited


def _sides(involved: list[Kpi], kpis: Mapping[str, Kpi]) -> dict[str, tuple[str, str]]:
    return {kpi.id: (_made_by(kpi, kpis), kpi.direction) for kpi in involved}


def _made_by(kpi: Kpi, kpis: Mapping[str, Kpi]) -> str:
    """How its values come about; of a formula with how those of the KPIs in it do."""
    formula = formula_in(kpi)
    parts = () if formula is None else formula_of(formula).kpis
    return " ".join([how_of(kpi), *(f"{part}={kpis[part].aggregation}" for part in parts)])
