"""Times, scopes and states in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros, parse_own_time
from engine.offline.duty.open_set import is_open

if TYPE_CHECKING:
    from engine.model.trigger import ReviewTrigger

_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))
_TWO_FROM = 2
"""A unit is used from two of it on: `26 h`, then `2 d`."""


def how_long(duration: Micros) -> str:
    """A duration in its largest fitting unit, rounded down: `3 h`, `26 h`, `2 d`."""
    for size, unit in _UNITS:
        if duration >= _TWO_FROM * size:
            return f"{duration // size} {unit}"
    return f"{max(duration, 0) // SECOND} s"


def due_words(trigger: ReviewTrigger, now: Micros) -> str:
    """`in 3 h`, `now`, `2 d over`, or `-` where nothing is due."""
    data = trigger.data
    if not is_open(trigger) or data.due is None:
        return "-"
    due = parse_own_time(data.due)
    if abs(due - now) < MINUTE:
        return "now"
    return f"{how_long(now - due)} over" if due < now else f"in {how_long(due - now)}"


def owner_words(trigger: ReviewTrigger) -> str:
    """Who owes the answer: the owner, and whom it was given to."""
    data = trigger.data
    return data.owner if data.assignee in {None, data.owner} else f"{data.owner}, given to {data.assignee}"


def about_words(trigger: ReviewTrigger) -> str:
    """The place that it is about: its dimensions, else its scope."""
    data = trigger.data
    named = " ".join(f"{name}={value}" for name, value in sorted(data.dimensions.items()))
    return named or ("" if data.scope == "{}" else data.scope)


def why_words(trigger: ReviewTrigger) -> str:
    """The plain sentence of what last moved the alert."""
    return trigger.data.about or trigger.data.explanation
