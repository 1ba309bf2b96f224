"""A review as an alert of Alertmanager: its labels stay the same for its life, its annotations are those of the newest
transition.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from engine.deliver.message import scrubbed_labels
from engine.deliver.scrub import scrubber_of
from engine.model.time import Micros, format_time
from engine.model.trigger import GroupEvidence
from engine.notify.happenings import has_ended

if TYPE_CHECKING:
    from typing import Literal

    from engine.deliver.message import Writer
    from engine.model.trigger import ReviewTrigger
    from engine.notify.notification import Notification

_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")
_OURS = frozenset({"alertname", "rule", "severity", "owner", "objective", "kpi", "review"})


class Alert(msgspec.Struct, frozen=True):
    """What Alertmanager is told of a review, again and again. `ended`: since when it is over; null while it is on."""

    labels: dict[str, str]
    annotations: dict[str, str]
    started: str
    ordinal: int
    ended: Micros | None = None


class Posted(msgspec.Struct, frozen=True, rename="camel"):
    """An alert as the v2 API takes it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str


def is_over(trigger: ReviewTrigger, until: Literal["review", "alert"]) -> bool:
    """Whether Alertmanager is to see it as resolved: the review has ended, or where so asked its alert has."""
    return has_ended(trigger) or (until == "alert" and trigger.data.alert == "over")


def alert_of(
    notification: Notification,
    trigger: ReviewTrigger,
    before: Alert | None,
    writer: Writer,
    ended: Micros | None,
) -> Alert:
    """The alert after a transition; `before` is the same review's, if it was told already."""
    data = trigger.data
    fresh = before is None or (before.ended is not None and ended is None)
    values = writer.values(notification)
    count = data.evidence.count if isinstance(data.evidence, GroupEvidence) else 0
    annotations = {
        "summary": values["sentence"],
        "happening": values["happening"],
        "state": values["state"],
        "alert": data.alert,
        "due": values["due"],
        "who": values["who"],
        "question": values["question"],
        "runbook_url": values["runbook"],
        "evidence": values["evidence"],
        "answer": values["answer"],
        "members": str(count) if count else "",
    }
    labels = labels_of(notification, trigger, writer.key) if fresh or before is None else before.labels
    started = data.opened if fresh or before is None else before.started
    return Alert(labels, {name: text for name, text in annotations.items() if text}, started, data.ordinal, ended)


def labels_of(notification: Notification, trigger: ReviewTrigger, key: bytes) -> dict[str, str]:
    """What names the alert. Dimensions that are called like one of ours, or as no label may be, get another name."""
    labels = {"alertname": scrubber_of(trigger, key).text(trigger.data.title)}
    for name, value in scrubbed_labels(notification, key).items():
        ours = name in _OURS and name not in trigger.data.dimensions
        plain = _NO_LABEL.sub("_", name)
        taken = not ours and (plain in _OURS or plain in labels or not (plain[:1].isalpha() or plain[:1] == "_"))
        labels[f"dim_{plain}" if taken and name not in _OURS else plain] = value
    return {name: value for name, value in labels.items() if value}


def posted(alert: Alert, now: Micros, lasting: Micros) -> Posted:
    """As it is sent at `now`: one that is on ends in `lasting` unless it is sent again before."""
    end = now + lasting if alert.ended is None else alert.ended
    return Posted(alert.labels, alert.annotations, alert.started, format_time(end))
