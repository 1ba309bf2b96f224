"""The whole story of a review: what happened to it, what people asked, and what was changed around it meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from engine.model.audit import ActivationEntry, AuditEntry, CommandEntry, SilenceEntry
from engine.model.time import Micros, parse_own_time
from engine.notify.happenings import happening_of, has_ended
from engine.notify.matchers import format_matcher, matches
from engine.notify.notification import labels_of
from engine.offline.duty.open_set import is_open
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.model.trigger import ReviewTrigger


class Line(msgspec.Struct, frozen=True):
    """One thing that happened: `source` is the trigger's or the entry's id, `outcome` a command's."""

    time: str
    kind: Literal["trigger", "command", "silence", "activation"]
    what: str
    sentence: str
    source: str
    who: str | None = None
    outcome: str | None = None


def story_of(life: Sequence[ReviewTrigger], entries: Iterable[AuditEntry], review: str) -> list[Line]:
    """Everything about a review in order of time; what has the same time in this order: commands, then triggers.

    A silence belongs to it when it was in force at some time of the review's life and its matchers hold; an activation
    when it was asked for in that time.
    """
    found = [line_of_entry(entry) for entry in entries if _concerns(entry, life, review)]
    found += [line_of_trigger(trigger) for trigger in life]
    order = {"activation": 0, "silence": 1, "command": 2, "trigger": 3}
    return sorted(found, key=lambda line: (parse_own_time(line.time), order[line.kind]))


def line_of_trigger(trigger: ReviewTrigger) -> Line:
    """A transition."""
    return Line(trigger.time, "trigger", happening_of(trigger), trigger.data.explanation, trigger.id)


def line_of_entry(entry: AuditEntry) -> Line:
    """An entry of the audit trail."""
    match entry:
        case CommandEntry():
            return _of_command(entry)
        case ActivationEntry():
            changes = ((entry.added, "added"), (entry.removed, "removed"), (entry.changed, "changed"))
            named = "; ".join(f"{what} {', '.join(each)}" for each, what in changes if each)
            sentence = f"Rule set {entry.rule_set} (number {entry.number}): {named or 'as before'}."
            return Line(entry.time, "activation", "rules", sentence, entry.id, entry.who)
        case SilenceEntry():
            silence = entry.silence
            where = " ".join(map(format_matcher, silence.matchers))
            sentence = f"Silence {silence.id} of {where} until {silence.until}: {silence.reason}"
            who = silence.ended_by if entry.happening == "ended" else silence.author
            return Line(entry.time, "silence", f"silence {entry.happening}", sentence, entry.id, who)


def _of_command(entry: CommandEntry) -> Line:
    command = entry.command
    said = ", ".join(filter(None, (command.verdict, command.to, command.until, command.answer, command.comment)))
    result = f"{entry.outcome} ({entry.reason}): {entry.sentence}" if entry.outcome == "refused" else entry.outcome
    sentence = f"{said}: {result}" if said else result
    return Line(entry.time, "command", command.action, sentence, entry.id, command.who, entry.outcome)


def _concerns(entry: AuditEntry, life: Sequence[ReviewTrigger], review: str) -> bool:
    if isinstance(entry, CommandEntry):
        return entry.command.review == review
    if not life:
        return False
    begin, end = _lifetime(life)
    if isinstance(entry, ActivationEntry):
        return begin <= parse_own_time(entry.time) <= end
    silence = entry.silence
    until = parse_time(entry.time if entry.happening == "ended" else silence.until)
    return parse_time(silence.start) <= end and until >= begin and _matches_any(entry, life)


def _matches_any(entry: SilenceEntry, life: Sequence[ReviewTrigger]) -> bool:
    return any(matches(entry.silence.matchers, labels_of(trigger)) for trigger in life)


def _lifetime(life: Sequence[ReviewTrigger]) -> tuple[Micros, Micros]:
    """From its opening to its last end, or without end while it is open."""
    begin = parse_own_time(life[0].time)
    if is_open(life[-1]):
        return begin, 2**62
    return begin, max(_ends(life), default=parse_own_time(life[-1].time))


def _ends(life: Sequence[ReviewTrigger]) -> Iterator[Micros]:
    return (parse_own_time(trigger.time) for trigger in life if has_ended(trigger))
