"""The rule set: everything that was declared, checked and resolved, as one immutable value with a hash.

It is what the log activates and what a worker stores; nothing in it refers to a file. It does not know where state is
kept. Durations and times are integer microseconds.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import msgspec

from engine.model.identity import digest_of
from engine.model.time import DAY, HOUR, Micros
from engine.model.trigger import Severity

Aggregation = Literal["count", "sum", "mean", "min", "max", "last", "share"]
Direction = Literal["higher_is_better", "lower_is_better", "in_band"]
Reference = Literal["windows", "days", "weekdays"]


class Window(msgspec.Struct, frozen=True):
    """How event time is cut. `size` = `step` is tumbling, `size` a multiple of `step` hopping.

    `zone` set means calendar days in that time zone (`size` and `step` are then one day, nominally).
    """

    size: Micros
    step: Micros
    zone: str | None = None


class Target(msgspec.Struct, frozen=True):
    """A value to reach, by when, from where, last reviewed when (RFC 3339 dates as written)."""

    value: float
    by: str
    start: float | None
    reviewed: str | None


class Counterpart(msgspec.Struct, frozen=True):
    """The metric that pays: `kpi` should not worsen by `minimum_effect` (relative) while this KPI improves.

    `lag` is in whole windows; `per` names the KPI that it is divided by.
    """

    kpi: str
    minimum_effect: float
    lag: int = 0
    per: str | None = None


class Due(msgspec.Struct, frozen=True):
    """How long from one moment to another: `micros` on the clock, or within `calendar` that much working time, or so
    many working `days`.
    """

    micros: Micros = 0
    days: int = 0
    calendar: str | None = None


class Calendar(msgspec.Struct, frozen=True):
    """When people work: for each weekday, Monday first, stretches of local time since midnight in `zone`; and the
    dates (YYYY-MM-DD) on which they do not.
    """

    id: str
    zone: str
    week: tuple[tuple[tuple[Micros, Micros], ...], ...]
    holidays: tuple[str, ...] = ()


class CadenceSpec(msgspec.Struct, frozen=True):
    """A KPI is to be reviewed `every` so often; what a missed cadence opens."""

    every: Micros
    due_in: Due | None = None
    question: str | None = None
    participants: tuple[str, ...] = ()


class Kpi(msgspec.Struct, frozen=True):
    """A catalogued definition. `share` is the share of non-zero values. `series` are those declared to exist."""

    id: str
    title: str
    owner: str
    objective: str
    definition: str
    decision: str | None
    direction: Direction
    role: Literal["leading", "lagging"]
    unit: str
    aggregation: Aggregation
    window: Window
    lateness: Micros
    idle: Micros
    cadence: Micros | None
    sources: tuple[str, ...]
    dimensions: tuple[str, ...]
    series: tuple[dict[str, str], ...]
    rolls_up_to: str | None
    target: Target | None
    counterparts: tuple[Counterpart, ...]
    publish: bool
    sensitive: tuple[str, ...] = ()
    review: CadenceSpec | None = None


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


class Composite(msgspec.Struct, frozen=True, tag_field="kind", tag="composite"):
    """All or any of `rules` are firing on series of the same `scope` dimensions (in `all`, each on at least one)."""

    op: Literal["all", "any"]
    rules: tuple[str, ...]
    scope: tuple[str, ...]


class Cadence(msgspec.Struct, frozen=True, tag_field="kind", tag="cadence"):
    """No review of the KPI has been answered for `every`. The engine's own: a KPI's `review` gives one."""

    every: Micros


class Precision(msgspec.Struct, frozen=True, tag_field="kind", tag="precision"):
    """The verdicts on a rule's reviews say that it is seldom right: even the upper end of the 95 % Wilson interval
    of its share of real ones is below `limit`. The engine's own: every rule has one.
    """

    rule: str
    limit: float


Condition = Threshold | Change | TrendBreak | MissingData | CounterpartConflict | Composite | Cadence | Precision


class Step(msgspec.Struct, frozen=True):
    """Worse by `by`: a share of what was told last (`relative`), or in the KPI's unit."""

    by: float
    relative: bool

    def is_passed(self, size: float, told: float) -> bool:
        """Whether `size` is a step above what was told last; both are larger the worse it is."""
        return size > told and size >= (told * (1 + self.by) if self.relative else told + self.by)


class ReviewSpec(msgspec.Struct, frozen=True):
    """The obligation that a firing rule opens.

    `escalate_after`: from overdue to the first step of escalation, and from each to the next. `reopen_within`: a
    resolved review whose alert fires again so soon (event time) goes on. `flap_after`: so many returns in a row make
    it flapping: then only calm for `reopen_within` ends it. `renotify`: how much worse is worth another word.
    """

    due_in: Due | None
    participants: tuple[str, ...]
    question: str | None
    runbook: str | None
    close: Literal["on_recovery", "on_answer"]
    escalate_after: Due = Due(micros=DAY)
    reopen_within: Micros = HOUR
    flap_after: int = 3
    renotify: Step | None = None


class Rule(msgspec.Struct, frozen=True):
    """A rule as resolved: window, lateness and idle are the KPI's unless the rule states its own.

    `for_` and `keep_firing_for` are event time. `where` are dimension values that a series must carry.
    `fingerprint` names everything that decides verdicts; a rule that keeps it keeps its state through a reload.
    `declared` is the condition as written, for the evidence. `group_by`: all series alike in these dimensions make one
    review with members; null: each series has its own. `inhibited_by`: rules whose open reviews keep those of this
    rule quiet, where the dimensions that both have are equal.
    """

    id: str
    title: str
    kpi: str | None
    where: dict[str, str]
    condition: Condition
    points: Literal["window", "raw"]
    window: Window
    lateness: Micros
    idle: Micros
    for_: Micros
    keep_firing_for: Micros
    severity: Severity
    mode: Literal["on", "shadow", "off"]
    owner: str | None
    review: ReviewSpec
    known_gaps: tuple[str, ...]
    declared: dict[str, Any]
    fingerprint: str
    group_by: tuple[str, ...] | None = None
    inhibited_by: tuple[str, ...] = ()


class FieldRule(msgspec.Struct, frozen=True):
    """Where a value comes from in a foreign message: a `path` into it (`a.b[0].c`), or a constant."""

    path: str | None = None
    const: str | float | int | None = None


class FilterRule(msgspec.Struct, frozen=True):
    """Which messages count: `path` equals one of `values`, or merely exists (`values` empty). `negate` turns it
    round.
    """

    path: str
    values: tuple[str | float | bool | None, ...]
    negate: bool = False


class Mapping(msgspec.Struct, frozen=True):
    """How one foreign message becomes one measurement. `id` null: derived from the record's position."""

    kpi: FieldRule
    value: FieldRule
    time: FieldRule
    time_unit: Literal["rfc3339", "s", "ms", "us", "ns", "local"]
    time_zone: str | None
    dimensions: dict[str, FieldRule]
    id: tuple[FieldRule, ...]
    filter: tuple[FilterRule, ...]
    provenance: Literal["automated", "self_reported"]


class Source(msgspec.Struct, frozen=True):
    """A foreign topic, and what is taken from it."""

    id: str
    topic: str
    mappings: tuple[Mapping, ...]


class Owner(msgspec.Struct, frozen=True):
    """A person or team that answers for something."""

    id: str
    name: str
    contact: str | None
    noise_budget: int | None = None
    """Notifications of warnings a week; what goes beyond is bundled. Null: no limit."""


class Objective(msgspec.Struct, frozen=True):
    """What a KPI is for. An overdue review goes from the KPI's owner to the `sponsor` (else the objective's owner), and
    on to the `board`.
    """

    id: str
    title: str
    owner: str
    sponsor: str | None = None
    board: str | None = None


class Milestone(msgspec.Struct, frozen=True):
    """A step of an initiative: due `by` a date, proven by `kpi` being at or past `value` (in its good direction)."""

    title: str
    by: str
    kpi: str
    value: float | None = None
    done: str | None = None


class Initiative(msgspec.Struct, frozen=True):
    """Work for an objective, with milestones that are proven by KPIs and not by reports."""

    id: str
    title: str
    owner: str
    objective: str
    milestones: tuple[Milestone, ...] = ()


class ZoneTransition(msgspec.Struct, frozen=True, array_like=True):
    """From `start` (UTC, microseconds) on, local time is UTC plus `offset` (microseconds)."""

    start: Micros
    offset: Micros


class RuleSet(msgspec.Struct, frozen=True, dict=True):
    """Immutable; everything is sorted by id, so that the same declarations give the same bytes."""

    owners: tuple[Owner, ...]
    objectives: tuple[Objective, ...]
    kpis: tuple[Kpi, ...]
    rules: tuple[Rule, ...]
    sources: tuple[Source, ...]
    zones: dict[str, tuple[ZoneTransition, ...]]
    calendars: tuple[Calendar, ...] = ()
    initiatives: tuple[Initiative, ...] = ()

    @cached_property
    def encoded(self) -> bytes:
        """The set as canonical JSON: what is stored."""
        return msgspec.json.encode(self, order="sorted")

    @cached_property
    def hash(self) -> str:
        """Names the set: a digest of its canonical JSON."""
        return digest_of(self)

    @classmethod
    def decode(cls, data: bytes) -> RuleSet:
        """The inverse of `encoded`; msgspec.ValidationError when the bytes are not a rule set."""
        return msgspec.json.decode(data, type=cls)

    @cached_property
    def kpi_by_id(self) -> dict[str, Kpi]:
        """Look-up by id."""
        return {kpi.id: kpi for kpi in self.kpis}

    @cached_property
    def rule_by_id(self) -> dict[str, Rule]:
        """Look-up by id, the engine's own rules (`cadence:KPI`, `precision:RULE`) included."""
        from engine.rules.own_rules import own_rules  # noqa: PLC0415 - it makes what this module defines

        return {rule.id: rule for rule in (*own_rules(self), *self.rules)}
