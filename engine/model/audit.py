"""The audit trail: what people and programs asked of the engine, and what was made of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.model.records import ReviewCommand


class Matcher(msgspec.Struct, frozen=True):
    """One test of a label: its value is `value`, or with `regex` matches it as a whole; `negate` turns it round.

    Labels are `rule`, `severity`, `owner`, `objective`, `kpi`, `review`, and the dimensions of the review.
    """

    label: str
    value: str
    regex: bool = False
    negate: bool = False


class Silence(msgspec.Struct, frozen=True):
    """Who does not want to hear of what, why, and until when. `ended_by`: who took it back before `until`.

    The compacted topic `silences` holds the newest form of each, by `id`.
    """

    id: str
    matchers: tuple[Matcher, ...]
    author: str
    reason: str
    start: str
    until: str
    ended_by: str | None = None


class CommandEntry(msgspec.Struct, frozen=True, tag_field="type", tag="command"):
    """A command and its answer: `accepted` by the trigger `trigger`, or `refused` with a stable `reason` and a
    sentence. `repeat` is a command whose id was accepted before. `time` is the tick it was taken at.
    """

    id: str
    time: str
    command: ReviewCommand
    outcome: Literal["accepted", "refused", "repeat"]
    reason: str | None = None
    sentence: str | None = None
    trigger: str | None = None


class ActivationEntry(msgspec.Struct, frozen=True, tag_field="type", tag="activation"):
    """A rule set was asked for: by whom, which, and what it changes against the one before (null: the first)."""

    id: str
    time: str
    who: str
    number: int
    rule_set: str
    before: str | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class SilenceEntry(msgspec.Struct, frozen=True, tag_field="type", tag="silence"):
    """A silence was begun, changed, ended early by somebody, or ran out."""

    id: str
    time: str
    happening: Literal["begun", "changed", "ended", "expired"]
    silence: Silence


AuditEntry = CommandEntry | ActivationEntry | SilenceEntry
"""What stands in the topic `audit`, told apart by `type`. Readers know a repeat by its `id`."""
