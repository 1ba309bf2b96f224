"""What comes to reviews from findings and judgements, in one form; and the event that it is for a review."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.time import format_time, parse_own_time
from engine.model.trigger import FindingName, TurnName
from engine.review.alert import Word, alert_state, ended_at, word_of_finding, word_of_judgement
from engine.review.explain import explain_finding
from engine.review.explain_judgement import explain_judgement
from engine.review.review import BARRIERS
from engine.review.trigger import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.time import Micros
    from engine.review.alert import Alerts
    from engine.review.lifecycle import Event
    from engine.review.review import Review
    from engine.rules.resolved.rule import ReviewSpec
    from engine.rules.ruleset import RuleSet


class Incoming(NamedTuple):
    """`word` is what is said of an alert, `told` what to say of it, `size` how bad it is where that is counted (0:
    not). `clock` and `now` are of the reviews that it is about; `source` is what it was made of. `again`: it is worth
    another word, whatever the rule says.
    """

    rule: str
    scope: str
    word: Word
    told: Told
    now: str
    clock: int
    source: Finding | Judgement
    size: float = 0.0
    again: bool = False


def of_finding(finding: Finding, clock: int, rules: RuleSet, barrier: Micros | None = None) -> Incoming:
    """A finding of one series, from the stage 1 partition `clock`; or one that waited for the barrier of that time."""
    told = Told(
        event_time=finding.event_time,
        evidence=finding.evidence,
        episode=finding.episode,
        cause=finding.cause,
        explanation=lambda happening, review: explain_finding(
            finding, happening, rules, awaits_answer=review.awaits_answer
        ),
        moved_by=FindingName(
            id=finding.id,
            series=finding.series,
            transition=finding.transition,
            status=finding.status,
            revision=finding.revision,
            opened_event_time=finding.opened_event_time,
        ),
    )
    now = finding.tick_time or finding.event_time if barrier is None else format_time(barrier)
    return Incoming(finding.rule, finding.scope, word_of_finding(finding), told, now, clock, finding)


def of_judgement(judgement: Judgement, now: Micros | None, rules: RuleSet) -> Incoming:
    """What correlation or governance found at the barrier of tick time `now`."""
    told = Told(
        event_time=judgement.event_time,
        evidence=judgement.evidence,
        episode=judgement.episode,
        cause=judgement.cause,
        explanation=lambda happening, _: explain_judgement(judgement, happening, rules),
        moved_by=TurnName(judgement.turn, judgement.opened, judgement.taking_part),
        taking_part=judgement.taking_part,
    )
    time = judgement.event_time if now is None else format_time(now)
    word = word_of_judgement(judgement)
    name = judgement.rule, judgement.scope
    return Incoming(*name, word, told, time, BARRIERS, judgement, judgement.size, judgement.again)


def event_of(word: Word, review: Review, after: Alerts) -> Event | None:
    """The event that a word is for a review whose alerts it makes `after`; None where there is nothing to tell."""
    was, state = review.alert, alert_state(after)
    if word.said == "worsen":
        return None if review.flapping else "worsen"
    if state == was:
        return None if was == "never" else "amend"
    if state == "never":
        return "withdraw"
    if state == "on":
        return "resume_alert" if review.is_open else "reopen"
    if was == "never":
        return None
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
    over = ended_at(review.alerts)
    if over is None or not spec.reopen_within:
        return False
    return 0 <= parse_own_time(event_time) - parse_own_time(over) <= spec.reopen_within
