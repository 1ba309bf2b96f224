"""The verdicts over windows: which windows a condition looks at, and what it says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.correlate.governance.always_green import easy_target
from engine.correlate.governance.falling import falling_outcome, is_met
from engine.correlate.governance.restated import favoured, restated_windows
from engine.correlate.governance.vanity import unfollowed
from engine.correlate.governance.watch import aligned, points
from engine.model.governance import GovernedKpi
from engine.rules.resolved.governance import AlwaysGreen, GreenOverFalling, RestatedInFavour, Vanity, others_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.governance.watch import Watch
    from engine.model.governance import (
        EasyTarget,
        FallingOutcome,
        FavouredRestatements,
        RestatedWindow,
        Unfollowed,
    )
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

OVER_WINDOWS = (AlwaysGreen, GreenOverFalling, Vanity, RestatedInFavour)
"""Conditions that are judged over so many windows."""


class Verdict(NamedTuple):
    """What one window led to: whether the condition holds (None: between yes and no), by what, from which windows."""

    on: bool | None
    found: EasyTarget | FallingOutcome | Unfollowed | FavouredRestatements
    kpis: tuple[GovernedKpi, ...]


def kpis_of(rule: Rule) -> tuple[str, ...]:
    """The KPIs whose windows the rule sees, its own first."""
    return (str(rule.kpi), *others_of(rule.condition))


def windows_needed(rule: Rule) -> int:
    """How many windows of each KPI it looks back at."""
    condition = rule.condition
    return condition.windows if isinstance(condition, OVER_WINDOWS) else 1


def verdicts(rule: Rule, rules: RuleSet, watch: Watch, first: int) -> Iterator[tuple[int, Verdict | None]]:
    """A verdict for each window from `first` on that is complete, in order (None: it cannot be said); none before there
    are enough of them.
    """
    count, kpis = windows_needed(rule), kpis_of(rule)
    complete = aligned(watch, kpis)
    for place, index in enumerate(complete, 1):
        if place < count or index < first:
            continue
        seen = complete[place - count : place]
        governed = governed_at(watch, rules, kpis, seen)
        restated = restated_windows(watch.restated, watch.rings[kpis[0]], seen)
        yield index, None if governed is None else judge(rule, rules, governed, restated)


def governed_at(
    watch: Watch, rules: RuleSet, kpis: tuple[str, ...], windows: list[int]
) -> tuple[GovernedKpi, ...] | None:
    """The values of these windows, with what their targets are now; None where one has no value."""
    found = []
    for name in kpis:
        kpi = rules.kpi_by_id[name]
        values = points(watch, name, kpi.aggregation, windows)
        if values is None:
            return None
        found.append(GovernedKpi(name, None if kpi.target is None else kpi.target.value, values))
    return tuple(found)


def judge(
    rule: Rule, rules: RuleSet, governed: tuple[GovernedKpi, ...], restated: tuple[RestatedWindow, ...] = ()
) -> Verdict | None:
    """What the condition says of these windows, of which some were restated; None where it cannot say anything."""
    own, *others = governed
    kpi = rules.kpi_by_id[own.kpi]
    values = [point.value for point in own.points]
    match rule.condition:
        case AlwaysGreen() as condition:
            if own.target is None:
                return None
            return Verdict(*easy_target(values, own.target, kpi.direction, condition.margin), governed)
        case GreenOverFalling() as condition:
            board = [met for other in others for met in _board(other, rules.kpi_by_id[other.kpi])]
            return Verdict(*falling_outcome(values, kpi.direction, board, condition), governed)
        case Vanity() as condition:
            outcome = rules.kpi_by_id[condition.outcome]
            good = 1 if kpi.direction == outcome.direction else -1
            followed = [point.value for point in others[0].points]
            told = unfollowed(values, followed, good, condition.lag, condition.below)
            return None if told is None else Verdict(*told, governed)
        case RestatedInFavour() as condition:
            zone = () if rule.window.zone is None else rules.zones[rule.window.zone]
            return Verdict(*favoured(own.points, restated, kpi.direction, condition, zone), governed)
        case _:
            return None


def _board(governed: GovernedKpi, kpi: Kpi) -> Iterator[bool]:
    target = governed.target
    for point in governed.points:
        yield target is not None and is_met(point.value, target, kpi.direction)
