"""The review trigger: a CloudEvents 1.0 structured event, the engine's word to the world."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.model.finding import BaselinePoint, Episode, Evidence, Silence, Status, Transition
from engine.model.records import Parts, ReviewCommand, WindowBounds

Happening = Literal["opened", "updated", "resolved", "withdrawn"]
Severity = Literal["info", "warning", "critical"]
Turn = Literal["began", "changed", "ended", "resumed", "withdrawn"]

SOURCE = "/counterpoint"
SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"


def event_type(happening: Happening) -> str:
    """`counterpoint.review.opened.v1` and its siblings."""
    return f"counterpoint.review.{happening}.v1"


class KpiSummary(msgspec.Struct, frozen=True):
    """What a reader must know of a KPI: enough to judge the trigger without the catalogue."""

    id: str
    title: str
    definition: str
    unit: str
    direction: str
    owner: str
    objective: str
    decision: str | None


class SeriesShare(msgspec.Struct, frozen=True):
    """What one series put into one side of a joined window."""

    series: str
    window: WindowBounds
    revision: int
    parts: Parts
    ids_count: int
    ids_hash_sum: str
    ids_first: str
    ids_last: str


class SideEvidence(msgspec.Struct, frozen=True):
    """One side of a counterpart conflict: its merged value against its usual level, and the verdict on it.

    `effect` is what `limit` is held against: the relative change from `usual` (+0.12 is 12 % above), or the value
    itself where the rule names a level. `noise` is the robust scale of the baseline (0 where it is not used).
    `missing` lists the series of the side that had sent nothing for the window when it was judged. `shares` lists at
    most 400 of `shares_count`.
    """

    kpi: str
    per: str | None
    verdict: Literal["improved", "worsened", "flat", "unknown"]
    value: float | None
    usual: float | None
    effect: float | None
    limit: float | None
    noise: float
    windows: tuple[WindowBounds, ...]
    baseline_points: tuple[BaselinePoint, ...]
    shares: tuple[SeriesShare, ...]
    missing: tuple[str, ...]
    shares_count: int = 0


class ConflictEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="conflict"):
    """The sides of a counterpart conflict (the improving KPI first) over one aligned window."""

    condition: dict[str, Any]
    window: WindowBounds
    sides: tuple[SideEvidence, ...]
    verdict: Literal["conflict", "no_conflict", "inconclusive"]
    rule_set: str
    digests: dict[str, str] = {}


class Member(msgspec.Struct, frozen=True):
    """One of several series or rules that a review is about, and the finding that brought it in.

    The finding's id is made of rule, series, event time, `transition` and `revision`; only where a recovery was taken
    back (`transition` is then `resolved`) `event_time` is that of the alert that goes on. `silence` is what it rests on
    where the series is silent.
    """

    series: str
    rule: str
    finding: str
    event_time: str
    transition: Transition = "firing"
    revision: int = 0
    silence: Silence | None = None


class GroupEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="group"):
    """A composite, or silence grouped by source: the members that are firing. `listed` is at most 100 of `count`."""

    condition: dict[str, Any]
    count: int
    listed: tuple[Member, ...]
    rule_set: str
    digests: dict[str, str] = {}


class FindingName(msgspec.Struct, frozen=True, tag_field="type", tag="finding"):
    """The finding that moved a review. Its id is made of the rule, `series`, the trigger's event time, `transition` and
    `revision`; `opened_event_time` is of the firing transition that it belongs to.
    """

    id: str
    series: str
    transition: Transition
    status: Status
    revision: int
    opened_event_time: str


class TurnName(msgspec.Struct, frozen=True, tag_field="type", tag="turn"):
    """The turn of a joined or grouped alert that moved a review; `opened` names the alert among others of its scope.

    `taking_part` are the KPIs whose owners it concerns, beside the rule's own.
    """

    turn: Turn
    opened: str
    taking_part: tuple[str, ...] = ()


MovedBy = FindingName | TurnName | ReviewCommand


class TriggerData(msgspec.Struct, frozen=True):
    """The obligation: who, by when, why, and what it rests on.

    `explanation` is one plain sentence. `scope` is what the review is about. `due` counts from the opening tick.
    `historical` marks a review of a finding older than `notify_within`: recorded, not to be delivered as new.
    `first_event_time` is of the alert that named the review: its id is made of rule, scope and that. `moved_by` is the
    finding, turn or command that made this transition. `excerpt` is the part of the rule set that all of this rests on,
    in the form of the topic `rule-sets`. `digests` maps the name of each part of the event to its digest: `event` is
    what stands beside `data`, `review` what of `data` has no digest of its own.
    """

    review: str
    ordinal: int
    rule: str
    title: str
    severity: Severity
    scope: str
    kpi: KpiSummary | None
    owner: str
    participants: tuple[str, ...]
    objective: str | None
    opened: str
    due: str | None
    question: str | None
    runbook: str | None
    explanation: str
    event_time: str
    evidence: Evidence | ConflictEvidence | GroupEvidence | None
    episode: Episode | None
    historical: bool
    cause: str | None
    rule_set: str
    first_event_time: str = ""
    moved_by: MovedBy | None = None
    excerpt: dict[str, Any] = {}
    digests: dict[str, str] = {}


class ReviewTrigger(msgspec.Struct, frozen=True):
    """The CloudEvent. `id` is unique for `source`; `subject` is the scope; `time` the tick it happened at."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: TriggerData
