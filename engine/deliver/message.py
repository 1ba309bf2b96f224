"""A notification as a message to people: the one plain sentence first, then who, by when, why, and how to answer.

Sensitive values are hidden in everything that is put into a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.deliver.evidence import evidence_lines
from engine.deliver.scrub import Scrubber, hashed, scrubber_of
from engine.deliver.template import BODY, TITLE, render
from engine.notify.happenings import has_ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.trigger import ReviewTrigger
    from engine.notify.notification import Notification

    OwnerName = Callable[[str, str | None], str]

_AGAIN = "(Sent again: you may have had this message already.)"


class Templates(NamedTuple):
    """The texts that values are put into."""

    title: str = TITLE
    body: str = BODY


class Message(NamedTuple):
    """Plain text."""

    title: str
    body: str


class Writer(NamedTuple):
    """Writes messages: `key` hides sensitive values, `owner_name` finds the name of an owner in a rule set."""

    key: bytes
    owner_name: OwnerName
    templates: Templates = Templates()

    def write(self, notification: Notification, *, redelivered: bool = False) -> Message:
        """The message for it."""
        values = {**self.values(notification), "again": _AGAIN if redelivered else ""}
        if notification.trigger is None:
            again = [values["again"]] if redelivered else []
            body = "\n".join((notification.sentence, *again, "", *notification.lines)).strip()
            return Message(_beside(notification), body)
        title = " ".join(render(self.templates.title, values).split())
        return Message(title, render(self.templates.body, values))

    def values(self, notification: Notification) -> dict[str, str]:
        """What may be put into a template for it; of a digest only a few have a value."""
        trigger = notification.trigger
        if trigger is None:
            return {"sentence": notification.sentence, "id": notification.id, "owner": notification.owner}
        return self._of_trigger(notification, trigger)

    def _of_trigger(self, notification: Notification, trigger: ReviewTrigger) -> dict[str, str]:
        data, hide = trigger.data, scrubber_of(trigger, self.key).text
        happening = trigger.type.split(".")[2].replace("_", " ")
        if notification.kind == "released":
            happening = "still open"
        verdict = "" if data.verdict is None else f", {data.verdict.replace('_', ' ')}"
        return {
            "sentence": hide(notification.sentence),
            "title": hide(data.title),
            "happening": happening,
            "severity": data.severity,
            "rule": data.rule,
            "subject": hide(data.scope),
            "kpi": "" if data.kpi is None else data.kpi.title,
            "objective": data.objective or "",
            "owner": self.owner_name(data.owner, data.rule_set),
            "who": hide(self._who(notification, trigger)),
            "due": "" if has_ended(trigger) or data.due is None else _for_people(data.due),
            "state": data.state.replace("_", " ") + verdict,
            "alert": data.alert,
            "evidence": hide("\n".join(f"- {line}" for line in evidence_lines(data))),
            "question": hide(data.question or ""),
            "runbook": hide(data.runbook or ""),
            "answer": hide(_answer(trigger)),
            "review": data.review,
            "id": notification.id,
        }

    def _who(self, notification: Notification, trigger: ReviewTrigger) -> str:
        data = trigger.data
        names = [self.owner_name(name, data.rule_set) for name in dict.fromkeys((data.owner, *notification.to))]
        assigned = "" if data.assignee is None else f"; assigned to {data.assignee}"
        taken = "" if data.acknowledged_by is None else f"; acknowledged by {data.acknowledged_by}"
        return ", with ".join((names[0], ", ".join(names[1:]))[: 1 + bool(names[1:])]) + assigned + taken


def scrubbed_labels(notification: Notification, key: bytes) -> dict[str, str]:
    """The labels with hashes in place of sensitive values."""
    trigger = notification.trigger
    if trigger is None:
        return notification.labels
    sensitive, hide = trigger.data.sensitive, scrubber_of(trigger, key)
    return {
        name: hashed(value, key) if name in sensitive and value else _hidden(hide, name, value)
        for name, value in notification.labels.items()
    }


def _hidden(hide: Scrubber, name: str, value: str) -> str:
    """Ids and severities are declared by people; other dimensions may repeat what a sensitive one says."""
    return value if name in {"severity", "review", "rule", "owner", "objective", "kpi"} else hide.text(value)


def _for_people(time: str) -> str:
    """`2026-01-31 15:00 UTC`."""
    return f"{time[:10]} {time[11:16]} UTC"


def _answer(trigger: ReviewTrigger) -> str:
    if has_ended(trigger):
        return trigger.data.answer or ""
    return f"counterpoint reviews ack {trigger.data.review}"


def _beside(notification: Notification) -> str:
    if notification.kind == "digest":
        return f"Digest of warnings for {notification.owner}"
    return "A silence has ended"
