"""The rule set: everything that was declared, checked and resolved, as one immutable value with a hash.

It is what the log activates and what a worker stores; nothing in it refers to a file. It does not know where state is
kept. Durations and times are integer microseconds.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import msgspec

from engine.model.identity import digest_of
from engine.model.time import Micros
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


Condition = Threshold | Change | TrendBreak | MissingData | CounterpartConflict | Composite


class ReviewSpec(msgspec.Struct, frozen=True):
    """The obligation that a firing rule opens."""

    due_in: Micros | None
    participants: tuple[str, ...]
    question: str | None
    runbook: str | None
    close: Literal["on_recovery", "on_answer"]


class Rule(msgspec.Struct, frozen=True):
    """A rule as resolved: window, lateness and idle are the KPI's unless the rule states its own.

    `for_` and `keep_firing_for` are event time. `where` are dimension values that a series must carry.
    `fingerprint` names everything that decides verdicts; a rule that keeps it keeps its state through a reload.
    `declared` is the condition as written, for the evidence.
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


class Objective(msgspec.Struct, frozen=True):
    """What a KPI is for."""

    id: str
    title: str
    owner: str


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
        """Look-up by id."""
        return {rule.id: rule for rule in self.rules}
