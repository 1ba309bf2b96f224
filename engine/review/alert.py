"""What a finding or judgement means for a review that knows of its alert already: the event, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.review.lifecycle import Event
    from engine.review.review import Review
    from engine.rules.ruleset import ReviewSpec

AlertEvent = Literal[
    "fire", "worsen", "amend_firing", "withdraw_firing", "clear", "amend_clear", "withdraw_clear", "amend_worse"
]

_OF_FINDING: Final[dict[tuple[str, str], AlertEvent]] = {
    ("firing", "new"): "fire",
    ("firing", "amended"): "amend_firing",
    ("firing", "withdrawn"): "withdraw_firing",
    ("worsened", "new"): "worsen",
    ("worsened", "amended"): "amend_worse",
    ("worsened", "withdrawn"): "amend_worse",
    ("resolved", "new"): "clear",
    ("resolved", "amended"): "amend_clear",
    ("resolved", "withdrawn"): "withdraw_clear",
}
_OF_TURN: Final[dict[str, AlertEvent]] = {
    "began": "fire",
    "changed": "amend_firing",
    "ended": "clear",
    "resumed": "withdraw_clear",
    "withdrawn": "withdraw_firing",
}


def alert_event(told: Finding | Judgement) -> AlertEvent:
    """What it says of the alert."""
    turn = getattr(told, "turn", None)
    return _OF_FINDING[told.transition, told.status] if turn is None else _OF_TURN[turn]  # type: ignore[union-attr]


def event_of(said: AlertEvent, review: Review) -> Event | None:  # noqa: PLR0911 (one for each kind)
    """The event for a review; None where it says nothing new to it."""
    match said:
        case "fire":
            return None if review.alert == "on" else _back(review)
        case "amend_firing":
            return "reopen" if review.alert == "never" else "amend"
        case "withdraw_firing":
            return "withdraw"
        case "clear" | "amend_clear":
            return _clear(review)
        case "withdraw_clear":
            return _back(review) if review.alert == "over" else None
        case "worsen":
            return "worsen" if review.alert == "on" and not review.flapping else None
        case "amend_worse":
            return "amend" if review.alert == "on" else None


def _back(review: Review) -> Event:
    return "resume_alert" if review.is_open else "reopen"


def _clear(review: Review) -> Event | None:
    if review.alert == "never":
        return None
    if review.alert == "over":
        return "amend"
    return "recover" if review.ends_on_recovery else "end_alert"


def returning_to(reviews: Sequence[Review], event_time: str, spec: ReviewSpec) -> Review | None:
    """The review that a new alert goes on with: the newest one that waits for an answer, or whose alert ended so short
    a while ago that it is the same trouble.
    """
    for review in reversed(reviews):
        if review.alert == "over" and (review.is_open or is_soon(review, event_time, spec)):
            return review
    return None


def is_soon(review: Review, event_time: str, spec: ReviewSpec) -> bool:
    """Whether an alert comes back within the rule's `reopen_within` of its end, in event time."""
    if review.over is None or not spec.reopen_within:
        return False
    return 0 <= parse_own_time(event_time) - parse_own_time(review.over) <= spec.reopen_within
