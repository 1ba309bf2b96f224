"""What time does to a review when its next moment has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.model.time import format_time, parse_own_time
from engine.model.trigger import ClockName
from engine.review.people import escalation_of
from engine.review.trigger import Told
from engine.review.words import sentence_of_clock
from engine.rules.due import due_at

if TYPE_CHECKING:
    from engine.model.trigger import ClockWhat
    from engine.review.lifecycle import Event
    from engine.review.review import Review
    from engine.rules.ruleset import RuleSet

_NAMES: Final[dict[Event, ClockWhat]] = {
    "wake": "wake",
    "due": "due",
    "escalate": "escalate",
    "calm": "calm",
    "end_alert": "calm",
}


def strike(review: Review, event: Event, now: str, rules: RuleSet) -> tuple[Event, Told]:
    """Note in the review what the clock does to it at tick time `now`; the event that it is, and what to say."""
    at: str | None = None
    match event:
        case "wake":
            at, review.snoozed_until = review.snoozed_until, None
        case "due":
            at, review.escalate_at = review.due, _next_step(review, now, rules, 0)
        case "escalate":
            at, review.step = review.escalate_at, review.step + 1
            review.escalate_at = _next_step(review, now, rules, review.step)
        case "calm":
            at, review.calm_at, review.flapping, review.returns = review.calm_at, None, False, 0
            event = "calm" if review.ends_on_recovery else "end_alert"
    name = ClockName(what=_NAMES[event], at=at or now)
    to = _escalated_to(review, rules)
    return event, Told(
        review.event_time, None, None, None, lambda *_: sentence_of_clock(name, review.about, to, review.step), name
    )


def _next_step(review: Review, now: str, rules: RuleSet, step: int) -> str | None:
    """When the step of escalation after `step` is taken; None after the last."""
    rule = rules.rule_by_id[review.rule]
    if step >= len(escalation_of(rule, rules)):
        return None
    return format_time(due_at(parse_own_time(now), rule.review.escalate_after, rules))


def _escalated_to(review: Review, rules: RuleSet) -> str:
    chain = escalation_of(rules.rule_by_id[review.rule], rules)
    return chain[review.step - 1] if 0 < review.step <= len(chain) else ""
