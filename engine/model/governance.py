"""Evidence of the governance conditions: what was judged, and the numbers to recompute it from."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.model.finding import BaselinePoint, Transition
from engine.model.records import WindowBounds


class GovernedKpi(msgspec.Struct, frozen=True):
    """The windows of one KPI that a verdict rests on, oldest first, all its series merged. `target`: its value then."""

    kpi: str
    target: float | None
    points: tuple[BaselinePoint, ...]


class StaleTarget(msgspec.Struct, frozen=True, tag_field="what", tag="set_and_forget"):
    """A target that nobody reviewed or changed for `after` microseconds of tick time. `because` says what `since` is:
    the date of the catalogue, the activation that changed it, or when the rule began to watch.
    """

    value: float
    by: str
    reviewed: str | None
    since: str
    because: Literal["reviewed", "changed", "watched"]
    after: int
    due: str


class MovedField(msgspec.Struct, frozen=True):
    """A field of a KPI before and after an activation."""

    name: str
    before: Any
    after: Any


class FiringThen(msgspec.Struct, frozen=True):
    """A rule on one series of the KPI that was firing. The finding's id is made of rule, series, event time,
    `transition` and `revision`.
    """

    rule: str
    series: str
    finding: str
    event_time: str
    transition: Transition
    revision: int


class MovedGoalposts(msgspec.Struct, frozen=True, tag_field="what", tag="moved_goalposts"):
    """What an activation changed of a KPI, and what was firing on it then: `firing` lists at most 100 of `count`."""

    changed: tuple[MovedField, ...]
    firing: tuple[FiringThen, ...]
    count: int


class OtherVersion(msgspec.Struct, frozen=True, tag_field="what", tag="new_version"):
    """An activation gave a KPI another version. `changed`: what of its definition changed with it. `firing` lists at
    most 100 of `count` rules on series that were firing on it then, of which the first `ended` were withdrawn; the
    others go on.
    """

    before: str
    after: str
    changed: tuple[MovedField, ...]
    firing: tuple[FiringThen, ...]
    count: int
    ended: int


class OpenMilestone(msgspec.Struct, frozen=True):
    """A milestone that its KPI does not prove: `reported` as done, or `overdue`. `value`: what would prove it; null:
    nothing does.
    """

    initiative: str
    title: str
    by: str
    done: str | None
    value: float | None
    why: Literal["reported", "overdue"]


class UnprovenMilestones(msgspec.Struct, frozen=True, tag_field="what", tag="unproven_milestone"):
    """`median`: of the newest windows of the KPI, which is what proves; null where there is none."""

    milestones: tuple[OpenMilestone, ...]
    median: float | None


class EasyTarget(msgspec.Struct, frozen=True, tag_field="what", tag="always_green"):
    """`least`: how far the worst window stayed on the good side of the target (negative: it missed it). `sigma`: the
    robust standard deviation of the windows. It fires when `least` is above zero and at least `margin` times `sigma`,
    and ends when it is not half of that.
    """

    least: float
    sigma: float
    margin: float


class FallingOutcome(msgspec.Struct, frozen=True, tag_field="what", tag="green_over_falling"):
    """`met` of `of` windows of the leading KPIs met their targets. `s` and `z` are Mann and Kendall's of the outcome,
    with the sign of good; `change` is what its Theil-Sen slope amounts to over all windows, as a share of their median.
    It fires when the share met is at least `green`, `z` at most -`limit` and `change` at most -`at_least`, and ends
    when the share is not, or one of the others not half of that.
    """

    met: int
    of: int
    green: float
    s: int
    z: float
    limit: float
    change: float
    at_least: float


class LagCorrelation(msgspec.Struct, frozen=True):
    """Spearman's rho of the changes of a KPI and those of its outcome `lag` windows later, with the sign of good, and
    its 95 % interval.
    """

    lag: int
    pairs: int
    rho: float
    low: float
    high: float


class Unfollowed(msgspec.Struct, frozen=True, tag_field="what", tag="vanity"):
    """It fires when the upper end of the interval is below `below` at every lag, and ends when rho is not at one."""

    lags: tuple[LagCorrelation, ...]
    below: float


class RestatedWindow(msgspec.Struct, frozen=True):
    """A window that was restated after it had closed: `before` is its value when that first happened, `change` what all
    `times` together made of it, in the KPI's unit. `near`: it begins near the end of a reporting period.
    """

    start: str
    before: float
    change: float
    times: int
    near: bool


class RestatedTally(msgspec.Struct, frozen=True):
    """`changed` of `of` windows were restated, `in_favour` of them for the better. `chance`: the probability that at
    least so many of as many are, where better and worse are as likely: the upper tail of the binomial distribution
    with one half, exact (the sign test; Conover 1999, Practical Nonparametric Statistics, 3.4). `net`: the sum of all
    changes, in the KPI's unit; `effect`: that with the sign of good, as a share of what all `of` windows would be
    together without them (all of it where that is nothing).
    """

    of: int
    changed: int
    in_favour: int
    chance: float
    net: float
    effect: float


class FavouredRestatements(msgspec.Struct, frozen=True, tag_field="what", tag="restated_in_favour"):
    """The restated windows, all of them counted, and those near the end of a period (null: there is no such thing). It
    fires when one of both counts at least `least` changed windows, a share `share` of them in favour, a chance of at
    most `limit` and an effect of at least `at_least`. It ends when neither counts half as many with half as much of an
    effect and a share past the middle of `share` and one half.
    """

    windows: tuple[RestatedWindow, ...]
    all: RestatedTally
    near: RestatedTally | None
    share: float
    least: int
    at_least: float
    limit: float


Governed = (
    StaleTarget
    | MovedGoalposts
    | OtherVersion
    | UnprovenMilestones
    | EasyTarget
    | FallingOutcome
    | Unfollowed
    | FavouredRestatements
)


class GovernanceEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="governance"):
    """A verdict on how a KPI is governed. `time`: the tick that it was judged at; `window`: the newest one that was
    judged; `kpis`: the rule's own first.
    """

    condition: dict[str, Any]
    time: str
    window: WindowBounds | None
    kpis: tuple[GovernedKpi, ...]
    found: Governed
    rule_set: str
    digests: dict[str, str] = {}
