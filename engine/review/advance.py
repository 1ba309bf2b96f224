"""`advance`: what a finding, a judgement or a command does to the reviews of a partition, and the triggers it puts out.

Reads no clock: ticks come with findings and judgements, and rules from the set that a finding was made under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.identity import review_id
from engine.model.time import format_time, parse_own_time
from engine.model.trigger import FindingName, TurnName
from engine.review.explain import explain_finding, explain_judgement
from engine.review.lifecycle import Event, move
from engine.review.review import Book, Review
from engine.review.trigger import Told, trigger_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.limits import Limits
    from engine.model.records import ReviewCommand
    from engine.model.time import Micros
    from engine.model.trigger import Happening, ReviewTrigger
    from engine.rules.ruleset import Rule, RuleSet


class Telling(NamedTuple):
    """A trigger, and whether it is of a rule in shadow mode: then nobody is notified."""

    trigger: ReviewTrigger
    shadow: bool


class Surroundings(NamedTuple):
    """What advancing must know beside the reviews.

    `now` is the tick time of a judgement's barrier (not used for findings, which carry theirs). `old_before`: a review
    whose event time lies before it opens as historical (None: none does).
    """

    rule_sets: Mapping[str, RuleSet]
    limits: Limits
    now: str | None = None
    old_before: Micros | None = None


_FINDING_EVENTS: dict[tuple[str, str], Event] = {
    ("firing", "new"): "fire",
    ("firing", "amended"): "amend_firing",
    ("firing", "withdrawn"): "withdraw_firing",
    ("resolved", "new"): "clear",
    ("resolved", "amended"): "amend_clear",
    ("resolved", "withdrawn"): "withdraw_clear",
}
_JUDGEMENT_EVENTS: dict[str, Event] = {
    "began": "fire",
    "changed": "amend_firing",
    "ended": "clear",
    "resumed": "withdraw_clear",
    "withdrawn": "withdraw_firing",
}


class Advance:
    """The reviews of one partition and what is counted of them. `counts` is no part of the state."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.counts: dict[tuple[str, ...], int] = {}

    def finding(self, finding: Finding, around: Surroundings) -> list[Telling]:
        """A finding of one series acts at once."""
        self._count("findings", finding.rule, finding.transition, finding.status)
        event = _FINDING_EVENTS[finding.transition, finding.status]
        review = self._meant(finding, event)
        rules = around.rule_sets.get(finding.evidence.rule_set)
        if review is not None and (rules is None or finding.rule not in rules.rule_by_id):
            rules = around.rule_sets.get(review.rule_set)
        if rules is None or finding.rule not in rules.rule_by_id:
            self._count("refused", "unknown_rule")
            return []
        now = finding.tick_time or finding.event_time
        told = Told(
            event_time=finding.event_time,
            evidence=finding.evidence,
            episode=finding.episode,
            cause=finding.cause,
            explanation=lambda happening, review: explain_finding(finding, happening, rules, review.close),
            moved_by=_name_of(finding),
        )
        if review is None:
            if event not in ("fire", "amend_firing"):
                self._count("refused", "no_review")
                return []
            review = self._open(
                finding.rule, finding.scope, finding.opened_event_time, finding.event_time, now, rules, around
            )
            if review is None:
                return []
            review.firing = (finding.id,)
            return self._tell(review, "opened", None, now, rules, told)
        return self._step(review, event, now, rules, told, finding)

    def judgement(self, judgement: Judgement, around: Surroundings) -> list[Telling]:
        """What correlation found at a barrier."""
        self._count("judgements", judgement.rule, judgement.turn)
        rules = around.rule_sets[judgement.rule_set]
        now = around.now or judgement.event_time
        told = Told(
            event_time=judgement.event_time,
            evidence=judgement.evidence,
            episode=judgement.episode,
            cause=judgement.cause,
            explanation=lambda happening, _: explain_judgement(judgement, happening, rules),
            moved_by=TurnName(judgement.turn, judgement.opened, judgement.taking_part),
            taking_part=judgement.taking_part,
        )
        event = _JUDGEMENT_EVENTS[judgement.turn]
        reviews = self.book.of((judgement.rule, judgement.scope))
        review = next((each for each in reviews if judgement.opened in (each.first, each.began)), None)
        if review is None and event == "fire":
            review = next((each for each in reviews if each.state == "ended"), None)
        if review is not None:
            if event == "fire" and move(review.state, event, review.close) is not None:
                review.began = judgement.opened
            return self._step(review, event, now, rules, told, None)
        if event != "fire":
            self._count("refused", "no_review")
            return []
        review = self._open(judgement.rule, judgement.scope, judgement.opened, judgement.event_time, now, rules, around)
        return [] if review is None else self._tell(review, "opened", None, now, rules, told)

    def command(self, command: ReviewCommand, around: Surroundings) -> list[Telling]:
        """What a person asks; refused without a change where the review is unknown or the wish is not legal."""
        review = self.book.find(command.review)
        event: Event = "answer" if command.action == "resolve" else "acknowledge"
        legal = review is not None and not review.silent and move(review.state, event, review.close) is not None
        rules = None if review is None else around.rule_sets.get(review.rule_set)
        if review is None or rules is None or not legal or (event == "acknowledge" and review.acknowledged):
            self._count("commands_refused", "unknown_review" if review is None else "illegal")
            return []
        review.acknowledged |= event == "acknowledge"
        said = answer_of(command)
        told = Told(
            event_time=review.event_time,
            evidence=None,
            episode=None,
            cause=said,
            explanation=lambda *_: said,
            moved_by=command,
        )
        return self._step(review, event, format_time(parse_own_time(command.time)), rules, told, None)

    def _meant(self, finding: Finding, event: Event) -> Review | None:
        """The review that a finding is about: by what it replaces, else by the event time that its alert began at."""
        reviews = self.book.of((finding.rule, finding.scope))
        if not reviews:
            return None
        replaces = finding.replaces
        if replaces is not None and event in ("amend_firing", "withdraw_firing"):
            by_finding = [review for review in reviews if replaces in review.firing]
        elif replaces is not None and event == "withdraw_clear":
            by_finding = [review for review in reviews if replaces == review.cleared]
        else:
            by_finding = []
        began = finding.opened_event_time
        alike = (
            by_finding
            or [review for review in reviews if began == review.began]
            or [review for review in reviews if began == review.first]
        )
        if alike:
            return alike[-1]
        if event == "fire":
            return next((review for review in reviews if review.state == "ended"), None)
        return None

    def _step(
        self, review: Review, event: Event, now: str, rules: RuleSet, told: Told, finding: Finding | None
    ) -> list[Telling]:
        if finding is not None and _is_repeat(review, finding):
            self._count("refused", "repeat")
            return []
        made = move(review.state, event, review.close)
        if made is None:
            self._count("refused", f"{event}_when_{review.state}")
            return []
        if finding is not None:
            _note(review, finding, event)
        self.book.change(review, made.state)
        if made.happening is None:
            return []
        return self._tell(review, made.happening, told.cause or made.cause, now, rules, told)

    def _open(
        self, name: str, scope: str, opened: str, event_time: str, now: str, rules: RuleSet, around: Surroundings
    ) -> Review | None:
        if self.book.open_count >= around.limits.reviews_open_max:
            self._count("refused", "too_many_reviews")
            return None
        rule = rules.rule_by_id[name]
        review = Review(
            id=review_id(name, scope, parse_own_time(opened)),
            rule=name,
            scope=scope,
            rule_set=rules.hash,
            close=rule.review.close,
            state="firing",
            opened=now,
            due=_due(rule, now),
            first=opened,
            began=opened,
            event_time=event_time,
            silent=rule.mode == "shadow",
            historical=around.old_before is not None and parse_own_time(event_time) < around.old_before,
        )
        self.book.add(review)
        return review

    def _tell(
        self, review: Review, happening: Happening, cause: str | None, now: str, rules: RuleSet, told: Told
    ) -> list[Telling]:
        self._count("reviews", review.rule, "shadow" if review.silent else happening)
        review.ordinal += 1
        review.event_time = told.event_time
        trigger = trigger_of(review, happening, cause, now, rules, told)
        review.participants = trigger.data.participants
        self.book.dirty.add((review.rule, review.scope))
        return [Telling(trigger, review.silent)]

    def _count(self, *name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _is_repeat(review: Review, finding: Finding) -> bool:
    known = review.firing if finding.transition == "firing" else (review.cleared,)
    return finding.status != "withdrawn" and finding.id in known and review.state != "withdrawn"


def _note(review: Review, finding: Finding, event: Event) -> None:
    """Remember by which findings the review stands; an alert that moved is known by its new event time."""
    if event in ("fire", "amend_firing"):
        review.firing = tuple(dict.fromkeys((*review.firing[:1], finding.id)))
        review.began = finding.opened_event_time
    elif event in ("clear", "amend_clear"):
        review.cleared = finding.id
    elif event == "withdraw_clear":
        review.cleared = None


def _name_of(finding: Finding) -> FindingName:
    return FindingName(
        id=finding.id,
        series=finding.series,
        transition=finding.transition,
        status=finding.status,
        revision=finding.revision,
        opened_event_time=finding.opened_event_time,
    )


def _due(rule: Rule, now: str) -> str | None:
    due_in = rule.review.due_in
    return None if due_in is None else format_time(parse_own_time(now) + due_in)


def answer_of(command: ReviewCommand) -> str:
    """The sentence for what a person did."""
    if command.action == "acknowledge":
        return f"Acknowledged by {command.who}."
    verdict = f" ({command.verdict.replace('_', ' ')})" if command.verdict else ""
    answer = f": {command.answer}" if command.answer else ""
    return f"Answered by {command.who}{verdict}{answer}"
