"""Governance conditions as they run: which other KPIs they look at, every default said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from engine.rules.resolved.governance import (
    AlwaysGreen,
    GovernanceCondition,
    GreenOverFalling,
    MovedGoalposts,
    RestatedInFavour,
    SetAndForget,
    UnprovenMilestone,
    Vanity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.rules.resolved.catalogue import Initiative
    from engine.rules.resolved.rule import Rule
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.governance import GovernanceSpec, RestatedInFavourSpec

FALL_LIMITS = {"low": 3.7, "normal": 3.1, "high": 2.3}
"""Z past which an outcome falls: chosen on other seeds than those that the tests judge by."""

CHANCE_LIMITS = {"low": 0.0001, "normal": 0.001, "high": 0.01}
"""What chance may give at most where windows are restated in favour: chosen on other seeds as well."""

ON_SERIES = ("threshold", "change", "trend_break", "anomaly", "control_chart", "missing_data")
"""Conditions whose findings tell moved goalposts what fires."""


class _Kpi(Protocol):
    """What a KPI is, as written and as resolved alike."""

    @property
    def id(self) -> str: ...
    @property
    def objective(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def rolls_up_to(self) -> str | None: ...
    @property
    def target(self) -> object | None: ...
    @property
    def formula(self) -> object | None: ...
    @property
    def dimensions(self) -> Sequence[str]: ...


KpiT = TypeVar("KpiT", bound=_Kpi)


def leading_of(kpi: _Kpi, kpis: Iterable[KpiT]) -> list[KpiT]:
    """The board over an outcome: the leading KPIs of its objective that have a target, by id."""
    found = [
        each
        for each in kpis
        if each.objective == kpi.objective
        and each.role == "leading"
        and each.target is not None
        and each.direction != "in_band"
        and not (each.formula and each.dimensions)  # of each of these there is a value, and none of all of them
        and each.id != kpi.id
    ]
    return sorted(found, key=lambda each: each.id)


def outcome_of(kpi: _Kpi, kpis: Iterable[_Kpi]) -> str | None:
    """Where a leading KPI leads to unless a rule says it: the lagging KPI that it rolls up to, else the only lagging
    one of its objective.
    """
    lagging = {each.id: each for each in kpis if each.role == "lagging" and each.id != kpi.id}
    if kpi.rolls_up_to in lagging:
        return kpi.rolls_up_to
    beside = [name for name, each in sorted(lagging.items()) if each.objective == kpi.objective]
    return beside[0] if len(beside) == 1 else None


def others_named(spec: GovernanceSpec, kpi: _Kpi, kpis: Mapping[str, KpiT]) -> list[str]:
    """The KPIs that the condition looks at beside the rule's own."""
    if spec.green_over_falling is not None:
        return [each.id for each in leading_of(kpi, kpis.values())]
    if spec.vanity is not None:
        outcome = spec.vanity.outcome or outcome_of(kpi, kpis.values())
        return [] if outcome is None else [outcome]
    return []


def bind_watched(  # noqa: PLR0911 (one for each kind)
    spec: GovernanceSpec, kpi: _Kpi, kpis: Mapping[str, KpiT]
) -> GovernanceCondition:
    """The running form; what it looks at must be there."""
    others = others_named(spec, kpi, kpis)
    if spec.set_and_forget is not None:
        return SetAndForget(spec.set_and_forget.after)
    if spec.moved_goalposts is not None:
        return MovedGoalposts(())
    if spec.unproven_milestone is not None:
        return UnprovenMilestone(spec.unproven_milestone.windows)
    if spec.always_green is not None:
        return AlwaysGreen(spec.always_green.windows, spec.always_green.margin)
    if spec.restated_in_favour is not None:
        return _restated(spec.restated_in_favour)
    falling, vanity = spec.green_over_falling, spec.vanity
    if falling is not None:
        limit = FALL_LIMITS[falling.sensitivity]
        return GreenOverFalling(tuple(others), falling.windows, falling.green, limit, falling.at_least)
    assert vanity is not None  # noqa: S101 - the shape has exactly one of them
    return Vanity(others[0], vanity.windows, vanity.lag, vanity.below)


def _restated(spec: RestatedInFavourSpec) -> RestatedInFavour:
    return RestatedInFavour(
        windows=spec.windows,
        in_favour=spec.in_favour,
        changed=spec.changed,
        at_least=spec.at_least,
        limit=CHANCE_LIMITS[spec.sensitivity],
        period=spec.period,
        near=spec.near or 0,
    )


def with_what_it_watches(rule: Rule, rules: Iterable[RuleSpec], initiatives: Iterable[Initiative]) -> Rule:
    """Moved goalposts hear of the rules on series of the KPI; who owns an initiative takes part where its milestones
    are unproven.
    """
    if isinstance(rule.condition, MovedGoalposts):
        heard = [each for each in rules if each.kpi == rule.kpi and each.mode == "on"]
        names = sorted(each.id for each in heard if any(getattr(each.condition, name) for name in ON_SERIES))
        return msgspec.structs.replace(rule, condition=MovedGoalposts(tuple(names)))
    if isinstance(rule.condition, UnprovenMilestone):
        owners = {each.owner for each in initiatives if any(it.kpi == rule.kpi for it in each.milestones)}
        taking_part = tuple(sorted({*rule.review.participants, *owners}))
        return msgspec.structs.replace(rule, review=msgspec.structs.replace(rule.review, participants=taking_part))
    return rule
