"""The conditions of rules as resolved: numbers and ids, with every default filled in."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.model.time import Micros
from engine.rules.resolved.control import ControlChart
from engine.rules.resolved.governance import GovernanceCondition

Reference = Literal["windows", "days", "weekdays"]


class Threshold(msgspec.Struct, frozen=True, tag_field="kind", tag="threshold"):
    """`above`/`below`: strictly past `high`/`low`; `outside`: < low or > high; `inside`: low <= x <= high."""

    op: Literal["above", "below", "outside", "inside"]
    low: float | None
    high: float | None
    recover_at: float | None


class Change(msgspec.Struct, frozen=True, tag_field="kind", tag="change"):
    """Against the median of the last `count` windows, same times of earlier days, or same weekdays.

    Fires when the change exceeds `up`, or falls below minus `down`; either may be null. `relative` changes are
    shares of the baseline's magnitude, otherwise in the KPI's unit. Nothing is said until all `count` are there.
    """

    reference: Reference
    count: int
    up: float | None
    down: float | None
    relative: bool


class TrendBreak(msgspec.Struct, frozen=True, tag_field="kind", tag="trend_break"):
    """The level or the slope has broken for good.

    Levels are judged by a CUSUM with decision limit `level_limit`, slopes by a Mann-Kendall Z against `slope_limit`;
    null: not judged. `at_least`: the least size, a share of the former level (`relative`) or in the KPI's unit; of a
    slope what it amounts to over 28 stretches. `learn`: windows before anything is said; null: two seasons.
    """

    level_limit: float | None
    slope_limit: float | None
    direction: Literal["up", "down"] | None
    at_least: float
    relative: bool
    learn: int | None


class Anomaly(msgspec.Struct, frozen=True, tag_field="kind", tag="anomaly"):
    """A window is outside the band that is usual of its series.

    `limit`: what the surprises of six windows must sum to more than. `season` null: the day for windows under half an
    hour, else the week, and in use only while it explains. `at_least`: a deviation that counts, a share of what is
    usual (`relative`) or in the KPI's unit. `learn`: windows before anything is said; null: two seasons.
    """

    limit: float
    direction: Literal["up", "down"] | None
    season: Literal["day", "week", "none"] | None
    at_least: float
    relative: bool
    learn: int | None


class MissingData(msgspec.Struct, frozen=True, tag_field="kind", tag="missing_data"):
    """A declared series, or one seen before, has been silent for more than `after` (cadence + lateness) of tick
    time.
    """

    after: Micros


class Judge(msgspec.Struct, frozen=True):
    """When a side of a conflict has moved.

    With `level`: above it (`side` = above) or below it. Otherwise by at least `by` (relative) from the median of
    `count` earlier windows (`reference`), and by at least `noise` robust standard deviations of these (0: not asked).
    `hold`: while the conflict is on, the usual level stays what it was when it began.
    """

    by: float
    reference: Reference
    count: int
    noise: float
    hold: bool
    level: float | None = None
    side: Literal["above", "below"] | None = None


class ConflictSide(msgspec.Struct, frozen=True):
    """A counterpart as judged: as `Counterpart`, with the rule's own judge."""

    kpi: str
    per: str | None
    lag: int
    judge: Judge


class CounterpartConflict(msgspec.Struct, frozen=True, tag_field="kind", tag="counterpart_conflict"):
    """The rule's KPI improves while at least one of `counterparts` worsens, over `over` merged windows.

    `scope` are the dimensions that all sides share.
    """

    improves: Judge
    counterparts: tuple[ConflictSide, ...]
    over: int
    scope: tuple[str, ...]


class Reconciliation(msgspec.Struct, frozen=True, tag_field="kind", tag="reconciliation"):
    """The rule's KPI departs from its system of record by more than `tolerance`, over `over` merged windows.

    `record` are the KPIs that make up the record, added where there are several. `relative`: the tolerance is a share
    of the record's magnitude, otherwise in the KPI's unit. `scope` are the dimensions that all share.
    """

    record: tuple[str, ...]
    tolerance: float
    relative: bool
    over: int
    scope: tuple[str, ...]


FORECAST_WINDOWS = 120
"""So many windows, the newest, are what a forecast rests on at most."""


class OffTrack(msgspec.Struct, frozen=True, tag_field="kind", tag="off_track"):
    """The forecast for the end of the day `by` (a date) lies on the bad side of `target` with its whole interval, which
    holds what comes with `confidence`.

    `learn`: windows before it judges. `scope` are the dimensions of which each value has a forecast of its own.
    """

    target: float
    by: str
    higher_is_better: bool
    confidence: float
    learn: int
    scope: tuple[str, ...]


class Composite(msgspec.Struct, frozen=True, tag_field="kind", tag="composite", omit_defaults=True):
    """Several rules together, on series of the same `scope` dimensions.

    `all`, `any` or `at_least` `count` of `rules` are firing, each on at least one series, or they began to fire in the
    order of a `sequence` `within` that time; and none of `without` fires. With `absent`: from `within` after that has
    become so, unless one of `absent` began to fire in between, until one does. Times are event time.
    """

    op: Literal["all", "any", "at_least", "sequence"]
    rules: tuple[str, ...]
    scope: tuple[str, ...]
    count: int = 0
    without: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    within: Micros = 0

    @property
    def members(self) -> tuple[str, ...]:
        """Every rule that it looks at, sorted."""
        return tuple(sorted({*self.rules, *self.without, *self.absent}))

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing but that all or any of its rules fire."""
        return self.op in ("all", "any") and not (self.without or self.absent)


class Cadence(msgspec.Struct, frozen=True, tag_field="kind", tag="cadence"):
    """No review of the KPI has been answered for `every`. The engine's own: a KPI's `review` gives one."""

    every: Micros


class Precision(msgspec.Struct, frozen=True, tag_field="kind", tag="precision"):
    """The verdicts on a rule's reviews say that it is seldom right: even the upper end of the 95 % Wilson interval
    of its share of real ones is below `limit`. The engine's own: every rule has one.
    """

    rule: str
    limit: float


Condition = (
    Threshold
    | Change
    | TrendBreak
    | Anomaly
    | ControlChart
    | MissingData
    | CounterpartConflict
    | Reconciliation
    | OffTrack
    | Composite
    | GovernanceCondition
    | Cadence
    | Precision
)

OverWindows = CounterpartConflict | Reconciliation | OffTrack
"""Conditions that stage 2 judges over aligned windows, from the shares of all series in a scope."""

JoinedCondition = OverWindows | Composite | GovernanceCondition
"""Conditions that look across series: they are judged at barriers, and told by their reviews."""
