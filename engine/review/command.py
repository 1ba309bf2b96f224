"""What a person asks of a review, as an event; or why it cannot be, in a code and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import WireError
from engine.model.time import DAY, Micros, format_time, parse_own_time
from engine.review.lifecycle import move
from engine.rules.own_rules import is_version_rule
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from engine.model.records import ReviewCommand
    from engine.review.lifecycle import Event
    from engine.review.review import Review

SNOOZE_MAX = 30 * DAY
TEXT_MAX = 10_000
"""Characters of a comment or an answer."""
COMMANDS_KEPT = 16
"""Ids of commands that a review remembers, so that one sent twice counts once."""


class Refused(NamedTuple):
    """A stable reason, and a sentence for who asked."""

    reason: str
    sentence: str


def event_of(command: ReviewCommand, review: Review, now: Micros) -> Event | Refused:
    """The event that a command is for this review at tick time `now`; Refused where it is stale, incomplete, or not
    legal in its state.
    """
    if command.seen is not None and command.seen != review.ordinal:
        return Refused(
            "stale",
            f"expected the review as of its transition {command.seen}, it has gone on to {review.ordinal} "
            f"({review.state}); look at it again",
        )
    event = _event(command, review)
    return _incomplete(command, review, now) or _illegal(event, command, review) or event


def _event(command: ReviewCommand, review: Review) -> Event:
    if command.action != "resolve":
        return command.action
    over = review.alert != "on" or is_version_rule(review.rule)  # another version is no state that could end
    return "resolve" if review.is_open and over else "answer"


def _incomplete(command: ReviewCommand, review: Review, now: Micros) -> Refused | None:
    if command.action == "assign" and not command.to:
        return Refused("incomplete", "expected `to`: whom the review is given to")
    if command.action == "comment" and not command.comment:
        return Refused("incomplete", "expected a `comment`")
    if command.action == "resolve" and command.verdict is None:
        return Refused("incomplete", "expected a `verdict`: real, expected, false_alarm or data_error")
    for name, text in (("comment", command.comment), ("answer", command.answer), ("to", command.to)):
        if text is not None and len(text) > TEXT_MAX:
            return Refused("too_long", f"expected a `{name}` of at most {TEXT_MAX} characters, found {len(text)}")
    return _snooze(command, review, now) if command.action == "snooze" else None


def _snooze(command: ReviewCommand, review: Review, now: Micros) -> Refused | None:
    try:
        until = parse_time(command.until) if command.until else None
    except WireError:
        until = None
    if until is None:
        return Refused("incomplete", f"expected `until` as RFC 3339, found {command.until!r}")
    if not now < until <= now + SNOOZE_MAX:
        return Refused(
            "out_of_range",
            f"expected `until` after {format_time(now)} and at most 30 days later, found {command.until}",
        )
    if review.snoozed_until is not None and until == parse_own_time(review.snoozed_until):
        return Refused("no_change", f"the review is snoozed until {review.snoozed_until} already")
    return None


def _illegal(event: Event, command: ReviewCommand, review: Review) -> Refused | None:
    if event == "acknowledge" and review.acknowledged_by is not None:
        return Refused("no_change", f"the review was acknowledged by {review.acknowledged_by} already")
    if event == "assign" and review.assignee == command.to:
        return Refused("no_change", f"the review is given to {review.assignee} already")
    if event == "answer" and review.verdict is not None:
        return Refused("no_change", f"the review was answered ({review.verdict}) already")
    if move(review.state, event) is None:
        return Refused("illegal", f"expected a review that one can {command.action}, this one is {review.state}")
    return None


def take(command: ReviewCommand, review: Review) -> None:
    """Note in the review what the command says; the state is the lifecycle's business."""
    match command.action:
        case "acknowledge":
            review.acknowledged_by = command.who
        case "assign":
            review.assignee = command.to
        case "snooze" if command.until is not None:
            review.snoozed_until = format_time(parse_time(command.until))
            if review.due is not None:
                review.due = max(review.due, review.snoozed_until, key=parse_own_time)
            review.step, review.escalate_at = 0, None
        case "resolve":
            review.verdict, review.answer = command.verdict, command.answer
            review.snoozed_until = review.escalate_at = None
    review.commands = (*review.commands, command.id)[-COMMANDS_KEPT:]
