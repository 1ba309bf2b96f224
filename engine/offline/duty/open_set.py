"""The reviews as they stand, from their triggers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.model.time import Micros, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.trigger import ReviewTrigger

SHORT = 8
"""Characters of an id that people are shown, while they tell the reviews apart."""


def newest_of(triggers: Iterable[ReviewTrigger]) -> dict[str, ReviewTrigger]:
    """Each review's newest trigger, by its ordinal; repeats and the order they come in do not matter."""
    newest: dict[str, ReviewTrigger] = {}
    for trigger in triggers:
        before = newest.get(trigger.data.review)
        if before is None or before.data.ordinal < trigger.data.ordinal:
            newest[trigger.data.review] = trigger
    return newest


def life_of(triggers: Iterable[ReviewTrigger], review: str) -> list[ReviewTrigger]:
    """A review's triggers by ordinal, each once."""
    by_ordinal = {each.data.ordinal: each for each in triggers if each.data.review == review}
    return [by_ordinal[ordinal] for ordinal in sorted(by_ordinal)]


def is_open(trigger: ReviewTrigger) -> bool:
    """Whether somebody still owes something after it."""
    return trigger.data.state not in {"resolved", "withdrawn"}


def is_late(trigger: ReviewTrigger, now: Micros) -> bool:
    """Whether its answer is overdue, by its state or by the time."""
    if not is_open(trigger) or trigger.data.state == "snoozed":
        return False
    late = trigger.data.due is not None and parse_own_time(trigger.data.due) < now
    return trigger.data.state in {"overdue", "escalated"} or late


def by_urgency(triggers: Iterable[ReviewTrigger], now: Micros) -> list[ReviewTrigger]:
    """What is overdue, then what else is open (each the earliest due first), then what has ended (the newest first)."""
    return sorted(triggers, key=lambda trigger: _urgency(trigger, now))


def _urgency(trigger: ReviewTrigger, now: Micros) -> tuple[int, Micros, str]:
    data = trigger.data
    if not is_open(trigger):
        return 2, -parse_own_time(trigger.time), data.review
    due = parse_own_time(data.due) if data.due is not None else parse_own_time(data.opened) + 2**60
    return 0 if is_late(trigger, now) else 1, due, data.review


def short_length(reviews: Iterable[str]) -> int:
    """How many characters tell these ids apart, at least `SHORT`."""
    ids = sorted(set(reviews))
    return max([SHORT, *(_common(left, right) + 1 for left, right in pairwise(ids))])


def _common(left: str, right: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
