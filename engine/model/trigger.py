"""The review trigger: a CloudEvents 1.0 structured event, the engine's word to the world."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.model.bottleneck import Bottleneck
from engine.model.finding import BaselinePoint, Episode, Evidence, Silence, Status, Transition
from engine.model.governance import GovernanceEvidence
from engine.model.records import Parts, ReviewCommand, Verdict, WindowBounds

Happening = Literal[
    "opened",
    "updated",
    "renotified",
    "alert_ended",
    "alert_resumed",
    "flapping",
    "acknowledged",
    "assigned",
    "commented",
    "snoozed",
    "woken",
    "overdue",
    "escalated",
    "answered",
    "resolved",
    "reopened",
    "withdrawn",
]
"""Each transition in a review's life, and so each type of trigger."""

ReviewState = Literal["open", "acknowledged", "in_review", "snoozed", "overdue", "escalated", "resolved", "withdrawn"]
"""Where a review stands; it has ended in `resolved` and `withdrawn`."""

AlertState = Literal["on", "over", "never"]
"""Whether what a review is about still fires, no longer does, or never did."""

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
    most 400 of `shares_count`. `bottleneck`: which values carry the change, of a side that was rolled up over several
    series whose values add up; absent elsewhere.
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
    bottleneck: Bottleneck | msgspec.UnsetType = msgspec.UNSET


class WindowVerdict(msgspec.Struct, frozen=True):
    """Whether a rule over aligned windows held of the window that ends at `end`, taken by itself."""

    end: str
    holds: bool


class ConflictEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="conflict"):
    """The sides of a counterpart conflict (the improving KPI first) over one aligned window.

    `recent` stands only where the rule has `at_least`: the last windows that could be judged, as many as it looks back
    on, oldest first; as it does in a reconciliation and in what is off track.
    """

    condition: dict[str, Any]
    window: WindowBounds
    sides: tuple[SideEvidence, ...]
    verdict: Literal["conflict", "no_conflict", "inconclusive"]
    rule_set: str
    digests: dict[str, str] = {}
    recent: tuple[WindowVerdict, ...] | msgspec.UnsetType = msgspec.UNSET


class ReconciledSide(msgspec.Struct, frozen=True):
    """One side of a reconciliation, or what a forecast goes on from: its value, merged over series and windows and
    added over `kpis`, and the `count` of measurements behind it. `missing` and `shares` as in a conflict, `bottleneck`
    too: of a forecast the newer half of its windows against the older. It is absent in a reconciliation.
    """

    kpis: tuple[str, ...]
    value: float | None
    count: int
    windows: tuple[WindowBounds, ...]
    shares: tuple[SeriesShare, ...]
    missing: tuple[str, ...]
    shares_count: int = 0
    bottleneck: Bottleneck | msgspec.UnsetType = msgspec.UNSET


class ReconciliationEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="reconciliation"):
    """What was `reported` against what the system of `record` has, over one aligned window.

    `difference` is reported less recorded, `departure` what is held against `tolerance`: the difference as a share of
    the record's magnitude where that is `relative` (1 or -1 where the record is zero), else the difference itself.
    """

    condition: dict[str, Any]
    window: WindowBounds
    reported: ReconciledSide
    record: ReconciledSide
    difference: float | None
    departure: float | None
    tolerance: float
    relative: bool
    verdict: Literal["departs", "agrees", "inconclusive"]
    rule_set: str
    digests: dict[str, str] = {}
    recent: tuple[WindowVerdict, ...] | msgspec.UnsetType = msgspec.UNSET


class OffTrackEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="off_track"):
    """Where a KPI will be when its target is due, as of one window: `measured` is what came in it.

    `points` are the windows that the forecast rests on, this one last: at most 400 of `points_count`. `level` and
    `drift` (a window) are of now; `forecast` is for the window that lies `ahead` windows on, the last that ends by the
    end of the day `by`, and comes to between `low` and `high` with `confidence`. `needed` is the drift that would
    just reach `target`. All of these are null where there are too few windows, and from the due window on.
    """

    condition: dict[str, Any]
    window: WindowBounds
    measured: ReconciledSide
    points: tuple[BaselinePoint, ...]
    points_count: int
    level: float | None
    drift: float | None
    needed: float | None
    forecast: float | None
    low: float | None
    high: float | None
    confidence: float
    target: float
    by: str
    ahead: int
    verdict: Literal["misses", "on_course", "date_passed", "inconclusive"]
    rule_set: str
    digests: dict[str, str] = {}
    recent: tuple[WindowVerdict, ...] | msgspec.UnsetType = msgspec.UNSET


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


class StormOf(msgspec.Struct, frozen=True):
    """Of a rule with a `limit`: more than that many of its series fired at once from `since` on (event time).

    `rages`: whoever begins to fire still comes to it; else it is over, and only what fires on is left. `apart`: series
    that fire as well and have reviews of their own. `members` is the digest of all members as (series, finding), by
    series, listed or not.
    """

    limit: int
    since: str
    rages: bool
    apart: int
    members: str


class GroupEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="group"):
    """A composite, silence grouped by source, or a storm: the members that are firing. `listed` is at most 100 of
    `count`, in the order of their names; of a storm those that began first. `storm` stands only where it is one.
    """

    condition: dict[str, Any]
    count: int
    listed: tuple[Member, ...]
    rule_set: str
    digests: dict[str, str] = {}
    storm: StormOf | msgspec.UnsetType = msgspec.UNSET


class CadenceEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="cadence"):
    """A KPI is to be reviewed every so often (`every` microseconds of tick time), and was not by `due`.

    `since`: when a review of it was last answered (`review` names that one), else when counting began.
    """

    condition: dict[str, Any]
    kpi: str
    every: int
    since: str
    due: str
    review: str | None
    rule_set: str
    digests: dict[str, str] = {}


class PrecisionEvidence(msgspec.Struct, frozen=True, tag_field="type", tag="precision"):
    """How often a rule was right: verdicts on its reviews by kind, the share that was `real`, and the Wilson score
    interval of that share at 95 %. `limit`: the review is called when even `high` lies below it.
    """

    condition: dict[str, Any]
    rule: str
    verdicts: dict[str, int]
    share: float
    low: float
    high: float
    limit: float
    rule_set: str
    digests: dict[str, str] = {}


AnyEvidence = (
    Evidence
    | ConflictEvidence
    | ReconciliationEvidence
    | OffTrackEvidence
    | GroupEvidence
    | CadenceEvidence
    | PrecisionEvidence
    | GovernanceEvidence
)


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


ClockWhat = Literal["due", "escalate", "wake", "calm"]


class ClockName(msgspec.Struct, frozen=True, tag_field="type", tag="clock"):
    """The clock moved a review: `at` is the time that had come (when it was due, say)."""

    what: ClockWhat
    at: str


MovedBy = FindingName | TurnName | ReviewCommand | ClockName


class TriggerData(msgspec.Struct, frozen=True):
    """The obligation: who, by when, why, and what it rests on.

    `explanation` is one plain sentence. `scope` is what the review is about. `due` counts from the opening tick.
    `historical` marks a review of a finding older than `notify_within`: recorded, not to be delivered as new.
    `first_event_time` is of the alert that named the review: its id is made of rule, scope and that. `moved_by` is the
    finding, turn or command that made this transition. `excerpt` is the part of the rule set that all of this rests on,
    in the form of the topic `rule-sets`. `digests` maps the name of each part of the event to its digest: `event` is
    what stands beside `data`, `review` what of `data` has no digest of its own.

    `state` and `alert` are those after the transition. `notify` are the owners whom this transition concerns: an
    opening the owner and the participants, an escalation the one that it escalates to (`step` counts them, from 1).
    `about` is the sentence of what last moved the alert: an overdue review repeats it. `command_key` is the record
    key that commands for this review are sent to the findings topic with. `dimensions` are those of the scope;
    `sensitive` names the ones whose values are not for messages.
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
    evidence: AnyEvidence | None
    episode: Episode | None
    historical: bool
    cause: str | None
    rule_set: str
    first_event_time: str = ""
    moved_by: MovedBy | None = None
    excerpt: dict[str, Any] = {}
    digests: dict[str, str] = {}
    state: ReviewState = "open"
    alert: AlertState = "on"
    notify: tuple[str, ...] = ()
    dimensions: dict[str, str] = {}
    sensitive: tuple[str, ...] = ()
    command_key: str = ""
    about: str = ""
    acknowledged_by: str | None = None
    assignee: str | None = None
    snoozed_until: str | None = None
    step: int = 0
    verdict: Verdict | None = None
    answer: str | None = None


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
