"""The conditions that look at how a KPI is governed, as resolved: numbers and ids, with every default filled in."""

from __future__ import annotations

import msgspec

from engine.model.time import Micros
from engine.rules.resolved.timing import ReportingPeriod


class SetAndForget(msgspec.Struct, frozen=True, tag_field="kind", tag="set_and_forget"):
    """The KPI goes on, and its target was neither reviewed nor changed for `after` of tick time."""

    after: Micros


class MovedGoalposts(msgspec.Struct, frozen=True, tag_field="kind", tag="moved_goalposts"):
    """An activation changed what the KPI is or aims at, while one of `rules` on it was firing."""

    rules: tuple[str, ...]


class UnprovenMilestone(msgspec.Struct, frozen=True, tag_field="kind", tag="unproven_milestone"):
    """A milestone of the KPI is reported as done or overdue, and the median of its newest `windows` is not there."""

    windows: int


class AlwaysGreen(msgspec.Struct, frozen=True, tag_field="kind", tag="always_green"):
    """Each of the last `windows` met the target, by at least `margin` times their robust standard deviation."""

    windows: int
    margin: float


class GreenOverFalling(msgspec.Struct, frozen=True, tag_field="kind", tag="green_over_falling"):
    """Over the last `windows` the KPIs `leading` met their targets in a share `green` of all cases, while the rule's
    own fell: Mann and Kendall's Z past `limit`, and by the share `at_least` of its median.
    """

    leading: tuple[str, ...]
    windows: int
    green: float
    limit: float
    at_least: float


class Vanity(msgspec.Struct, frozen=True, tag_field="kind", tag="vanity"):
    """Over the last `windows` the changes of `outcome` did not follow those of the KPI, at no lag from 0 to `lag`
    windows: the upper end of the 95 % interval of Spearman's rho is below `below`.
    """

    outcome: str
    windows: int
    lag: int
    below: float


class RestatedInFavour(msgspec.Struct, frozen=True, tag_field="kind", tag="restated_in_favour"):
    """Of the last `windows` at least `changed` were restated after they had closed, a share `in_favour` of them for the
    better, which chance alone gives with a probability of at most `limit`, and by the share `at_least` of all together.
    Those that begin within `near` of the end of a `period` are also looked at alone; null: there is none.
    """

    windows: int
    in_favour: float
    changed: int
    at_least: float
    limit: float
    period: ReportingPeriod | None = None
    near: Micros = 0


class NewVersion(msgspec.Struct, frozen=True, tag_field="kind", tag="new_version"):
    """An activation gave the KPI another version. The engine's own: every KPI has one."""


GovernanceCondition = (
    SetAndForget
    | MovedGoalposts
    | UnprovenMilestone
    | AlwaysGreen
    | GreenOverFalling
    | Vanity
    | RestatedInFavour
    | NewVersion
)
"""All of them. They are judged where joins are, at barriers, over all series of a KPI merged."""


def others_of(condition: object) -> tuple[str, ...]:
    """The KPIs that such a condition looks at beside the rule's own."""
    match condition:
        case GreenOverFalling():
            return condition.leading
        case Vanity():
            return (condition.outcome,)
        case _:
            return ()
