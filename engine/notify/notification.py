"""What is to be told, and what is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from engine.model.identity import digest
from engine.model.trigger import ReviewTrigger

if TYPE_CHECKING:
    from engine.model.audit import SilenceEntry

Kind = Literal["trigger", "released", "digest", "silence_over"]
Why = Literal["historical", "silenced", "inhibited", "bundled"]


class Notification(msgspec.Struct, frozen=True):
    """One thing to tell `to`; `owner` answers for it.

    `trigger`: a transition as it happened, `id` is the trigger's. `released`: what was held back of a review that is
    still open; `trigger` is its newest, without evidence, excerpt and digests (the log has them under its id).
    `digest`: an owner's bundled notifications of a day. `silence_over`: to its author, when a silence ran out. The
    last two have no trigger.

    `labels` are what routes and silences match: `rule`, `severity`, `owner`, `objective`, `kpi`, `review` and the
    dimensions; sensitive values stand there as they are. `sentence` is the one plain sentence, `lines` what a digest
    lists below it. `time` is when it happened: the trigger's, or the tick's.
    """

    id: str
    kind: Kind
    time: str
    trigger: ReviewTrigger | None
    owner: str
    to: tuple[str, ...]
    labels: dict[str, str]
    sentence: str
    lines: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """A trigger that is not told, and why; `by` is the silence's or the inhibiting review's id (else empty)."""

    trigger: str
    review: str
    why: Why
    by: str = ""


class Outcome(NamedTuple):
    """What one call of the gate led to, each list in order. `entries` are for the topic `audit`."""

    notifications: list[Notification]
    held: list[Held]
    entries: list[SilenceEntry]


def nothing() -> Outcome:
    """An outcome to be filled."""
    return Outcome([], [], [])


def labels_of(trigger: ReviewTrigger) -> dict[str, str]:
    """What matchers are held against; a dimension that is called like one of ours does not hide it."""
    data = trigger.data
    return {
        **data.dimensions,
        "rule": data.rule,
        "severity": data.severity,
        "owner": data.owner,
        "objective": data.objective or "",
        "kpi": "" if data.kpi is None else data.kpi.id,
        "review": data.review,
    }


def told_to(trigger: ReviewTrigger) -> tuple[str, ...]:
    """The owners whom a transition concerns."""
    data = trigger.data
    return data.notify or tuple(dict.fromkeys((data.owner, *data.participants)))


def of_trigger(trigger: ReviewTrigger) -> Notification:
    """A transition as it happened."""
    return Notification(
        id=trigger.id,
        kind="trigger",
        time=trigger.time,
        trigger=trigger,
        owner=trigger.data.owner,
        to=told_to(trigger),
        labels=labels_of(trigger),
        sentence=trigger.data.explanation,
    )


def of_release(trigger: ReviewTrigger, reason: str, time: str) -> Notification:
    """What was held back and no longer is; `reason` is a sentence that says why."""
    return Notification(
        id=f"{trigger.id}-released",
        kind="released",
        time=time,
        trigger=trigger,
        owner=trigger.data.owner,
        to=told_to(trigger),
        labels=labels_of(trigger),
        sentence=f"{reason} Still open: {trigger.data.about or trigger.data.explanation}",
    )


def of_digest(owner: str, week: str, number: int, time: str, sentence: str, lines: tuple[str, ...]) -> Notification:
    """The `number`-th digest of an owner's week."""
    identifier = digest("digest", owner, week, number)
    labels = {"owner": owner, "severity": "info"}
    return Notification(identifier, "digest", time, None, owner, (owner,), labels, sentence, lines)
