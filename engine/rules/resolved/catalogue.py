"""What is declared to exist: owners, objectives, KPIs with what pays for them, initiatives."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from engine.model.time import Micros
from engine.rules.resolved.timing import Due, Window

Aggregation = str
"""`sum`, `mean`, ..., `p95`: see `engine.model.aggregation`."""
Direction = Literal["higher_is_better", "lower_is_better", "in_band"]

FIRST_VERSION: Final = "1"
"""The version of a KPI that states none."""


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
    grace: Micros = 0
    version: str | msgspec.UnsetType = msgspec.UNSET
    """Unset: `FIRST_VERSION`, so that a set without versions keeps its hash."""
    formula: str | msgspec.UnsetType = msgspec.UNSET
    """What it is worked out from, window by window (`model.formula`); unset: it is measured."""


def version_of(kpi: Kpi) -> str:
    """The version, `1` unless it states one."""
    return FIRST_VERSION if isinstance(kpi.version, msgspec.UnsetType) else kpi.version


def formula_in(kpi: Kpi) -> str | None:
    """The formula of a KPI that is worked out from others; null of one that is measured."""
    return None if isinstance(kpi.formula, msgspec.UnsetType) else kpi.formula


def how_of(kpi: Kpi) -> str:
    """How its values come about, for people and for evidence: its formula, or its aggregation."""
    return formula_in(kpi) or kpi.aggregation


def derived_rule_id(kpi: str) -> str:
    """The correlation that the parts of a formula are shares of."""
    return f"formula:{kpi}"


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
