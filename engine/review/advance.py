"""`advance`: what a finding, a judgement, a command or the clock does to the reviews of a partition, and what that
says: triggers, answers to commands, and word to those who keep count of verdicts.

Reads no clock: ticks come with findings, progress and barriers, and rules from the set that a finding was made under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.audit import CommandEntry
from engine.model.identity import review_id
from engine.model.records import Answered
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.trigger import ClockName, FindingName, TurnName
from engine.review.alarms import Alarms
from engine.review.alert import alert_event, event_of, is_soon, returning_to
from engine.review.command import Refused, take
from engine.review.command import event_of as command_event
from engine.review.explain import explain_finding, explain_judgement
from engine.review.lifecycle import (
    ALERT_ENDED,
    AMENDED,
    CALM,
    FIRES_AGAIN,
    FIRES_ON,
    FLAPS,
    NOT_TOLD,
    SLEPT,
    WORSE,
    move,
)
from engine.review.people import escalation_of
from engine.review.review import BARRIERS, Book, Review
from engine.review.trigger import Told, participants_of, trigger_of
from engine.review.words import sentence_of_clock, sentence_of_command
from engine.rules.due import due_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.limits import Limits
    from engine.model.records import ReviewCommand
    from engine.model.trigger import ClockWhat, Happening, ReviewTrigger
    from engine.review.alert import AlertEvent
    from engine.review.lifecycle import Event
    from engine.rules.ruleset import ReviewSpec, Rule, RuleSet


class Telling(NamedTuple):
    """A trigger, and whether it is of a rule in shadow mode: then nobody is notified."""

    trigger: ReviewTrigger
    shadow: bool


Said = Telling | CommandEntry | Answered


class Surroundings(NamedTuple):
    """What advancing must know beside the reviews.

    `rule_sets` by hash. `times`: the time of each clock (a stage 1 partition, or BARRIERS) as it stands. `old_before`:
    a review whose event time lies before it opens as historical (None: none does).
    """

    rule_sets: Mapping[str, RuleSet]
    limits: Limits
    times: Mapping[int, Micros]
    old_before: Micros | None = None


class Incoming(NamedTuple):
    """A finding or judgement as reviews take it: `told` is what to say of it, `size` how bad it is where that is
    counted (0: not). `clock`, `now`: of the reviews that it is about.
    """

    rule: str
    scope: str
    said: AlertEvent
    opened: str
    told: Told
    now: str
    clock: int
    size: float = 0.0
    finding: Finding | None = None


_CAUSES: dict[Event, str] = {
    "amend": AMENDED,
    "worsen": WORSE,
    "end_alert": ALERT_ENDED,
    "resume_alert": FIRES_AGAIN,
    "reopen": FIRES_AGAIN,
    "flap": FLAPS,
    "calm": CALM,
    "wake": SLEPT,
}


class Advance:
    """The reviews of one partition and what is counted of them. `counts` is no part of the state."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.alarms = Alarms()
        self.counts: dict[tuple[str, ...], int] = {}

    def restored(self) -> None:
        """The book has become what was written: set the alarms of its reviews."""
        self.alarms.restore(self.book.every())

    def finding(self, finding: Finding, clock: int, around: Surroundings) -> list[Said]:
        """A finding of one series, from the stage 1 partition `clock`, acts at once."""
        self._count("findings", finding.rule, finding.transition, finding.status)
        said = alert_event(finding)
        review = self._meant(finding, said)
        rules = around.rule_sets.get(finding.evidence.rule_set)
        if review is not None and (rules is None or finding.rule not in rules.rule_by_id):
            rules = around.rule_sets.get(review.rule_set)
        if rules is None or finding.rule not in rules.rule_by_id:
            self._count("refused", "unknown_rule")
            return []
        told = Told(
            event_time=finding.event_time,
            evidence=finding.evidence,
            episode=finding.episode,
            cause=finding.cause,
            explanation=lambda happening, review: explain_finding(finding, happening, rules, review.close),
            moved_by=_name_of(finding),
        )
        now = finding.tick_time or finding.event_time
        incoming = Incoming(
            finding.rule, finding.scope, said, finding.opened_event_time, told, now, clock, finding=finding
        )
        return [*self._alert(incoming, review, rules, around)]

    def judgement(self, judgement: Judgement, around: Surroundings) -> list[Said]:
        """What correlation or governance found at a barrier."""
        self._count("judgements", judgement.rule, judgement.turn)
        rules = around.rule_sets[judgement.rule_set]
        told = Told(
            event_time=judgement.event_time,
            evidence=judgement.evidence,
            episode=judgement.episode,
            cause=judgement.cause,
            explanation=lambda happening, _: explain_judgement(judgement, happening, rules),
            moved_by=TurnName(judgement.turn, judgement.opened, judgement.taking_part),
            taking_part=judgement.taking_part,
        )
        now = around.times.get(BARRIERS)
        incoming = Incoming(
            judgement.rule,
            judgement.scope,
            alert_event(judgement),
            judgement.opened,
            told,
            judgement.event_time if now is None else format_time(now),
            BARRIERS,
            judgement.size,
        )
        reviews = self.book.of((judgement.rule, judgement.scope))
        review = next((each for each in reviews if judgement.opened in (each.first, each.began)), None)
        return [*self._alert(incoming, review, rules, around)]

    def command(self, command: ReviewCommand, around: Surroundings) -> list[Said]:
        """What a person asks. It is always answered; one that is refused changes no byte of any review."""
        review = self.book.find(command.review)
        if review is None or review.silent or review.rule_set not in around.rule_sets:
            at = max(around.times.values(), default=parse_own_time(command.time))
            return [self._refuse(command, format_time(at), Refused("unknown_review", "there is no such review"))]
        now = _later(format_time(around.times.get(review.clock, 0)), review.moved)
        if command.id in review.commands:
            return [CommandEntry(f"{command.id}-repeat", now, command, "repeat")]
        event = command_event(command, review, parse_own_time(now))
        if isinstance(event, Refused):
            return [self._refuse(command, now, event)]
        take(command, review)
        said = sentence_of_command(command)
        told = Told(review.event_time, None, None, said, lambda *_: said, command)
        tellings = self._step(review, event, now, around.rule_sets[review.rule_set], told)
        accepted = CommandEntry(
            command.id, now, command, "accepted", trigger=None if not tellings else tellings[-1].trigger.id
        )
        counted = [] if command.verdict is None else _answered(review, command, now, around)
        return [*tellings, accepted, *counted]

    def tick(self, clock: int, now: Micros, around: Surroundings) -> list[Said]:
        """The time of a clock has come to `now`: wake, remind and escalate what lives by it."""
        said: list[Said] = []
        for review, event in self.alarms.due(clock, now, self.book):
            rules = around.rule_sets.get(review.rule_set)
            if rules is not None:
                said += self._time(review, event, format_time(now), rules)
        return said

    def _time(self, review: Review, event: Event, now: str, rules: RuleSet) -> list[Telling]:
        at: str | None = None
        match event:
            case "wake":
                at, review.snoozed_until = review.snoozed_until, None
            case "due":
                at = review.due
                review.escalate_at = self._next_step(review, now, rules, 0)
            case "escalate":
                at, review.step = review.escalate_at, review.step + 1
                review.escalate_at = self._next_step(review, now, rules, review.step)
            case "calm":
                at, review.calm_at, review.flapping, review.returns = review.calm_at, None, False, 0
                event = "calm" if review.ends_on_recovery else "end_alert"
        name = ClockName(what=_CLOCK_NAMES[event], at=at or now)
        told = Told(
            review.event_time,
            None,
            None,
            None,
            lambda *_: sentence_of_clock(name, review.about, _escalated_to(review, rules), review.step),
            name,
        )
        return self._step(review, event, now, rules, told)

    def _next_step(self, review: Review, now: str, rules: RuleSet, step: int) -> str | None:
        """When the step of escalation after `step` is taken; None after the last."""
        rule = rules.rule_by_id[review.rule]
        if step >= len(escalation_of(rule, rules)):
            return None
        return format_time(due_at(parse_own_time(now), rule.review.escalate_after, rules))

    def _meant(self, finding: Finding, said: AlertEvent) -> Review | None:
        """The review that a finding is about: by what it replaces, else by the event time that its alert began at."""
        reviews = self.book.of((finding.rule, finding.scope))
        replaces = finding.replaces
        if replaces is not None and said in ("amend_firing", "withdraw_firing"):
            by_finding = [review for review in reviews if replaces in review.firing]
        elif replaces is not None and said == "withdraw_clear":
            by_finding = [review for review in reviews if replaces == review.cleared]
        else:
            by_finding = []
        began = finding.opened_event_time
        alike = (
            by_finding
            or [review for review in reviews if began == review.began]
            or [review for review in reviews if began == review.first]
        )
        return alike[-1] if alike else None

    def _alert(self, incoming: Incoming, review: Review | None, rules: RuleSet, around: Surroundings) -> list[Telling]:
        """Open a review, or take what is said into the one that it is about."""
        spec = rules.rule_by_id[incoming.rule].review
        if review is None and incoming.said == "fire":
            reviews = self.book.of((incoming.rule, incoming.scope))
            review = returning_to(reviews, incoming.told.event_time, spec)
        if review is None:
            if incoming.said not in ("fire", "amend_firing"):
                self._count("refused", "no_review")
                return []
            review = self._open(incoming, rules, around)
            return [] if review is None else [*self._tell(review, "opened", None, incoming.now, rules, incoming.told)]
        if incoming.finding is not None and _is_repeat(review, incoming.finding):
            self._count("refused", "repeat")
            return []
        event = event_of(incoming.said, review)
        if event == "amend" and _is_worse(review, incoming, spec):
            event = "worsen"
        if event is None or move(review.state, event) is None:
            self._count("refused", f"{incoming.said}_when_{review.state}")
            return []
        return self._move_alert(review, event, incoming, rules, around)

    def _move_alert(
        self, review: Review, event: Event, incoming: Incoming, rules: RuleSet, around: Surroundings
    ) -> list[Telling]:
        spec, now, told = rules.rule_by_id[review.rule].review, _later(incoming.now, review.moved), incoming.told
        if incoming.said == "fire" and review.alert == "over":  # what was withdrawn has not come back: it never was
            review.returns = review.returns + 1 if is_soon(review, told.event_time, spec) else 0
            if review.returns >= spec.flap_after and not review.flapping:
                event, review.flapping = "flap", True
                told = told._replace(cause=FLAPS)
        _note(review, incoming)
        if incoming.said == "withdraw_clear":
            told = told._replace(cause=told.cause or FIRES_ON)
        if event in ("recover", "end_alert"):
            review.over = told.event_time
            if review.historical and review.close == "on_answer":
                told = told._replace(cause=told.cause or NOT_TOLD)
        if event in ("worsen", "reopen", "resume_alert"):
            review.size = max(review.size, incoming.size)
        if review.flapping and event in ("recover", "end_alert", "resume_alert"):
            return self._mute(review, event, now, rules)
        if event == "reopen" or (event == "flap" and not review.is_open):
            review.begin_anew(_due(rules.rule_by_id[review.rule], now, rules), historical=_is_old(told, around))
        return self._step(review, event, now, rules, told)

    def _mute(self, review: Review, event: Event, now: str, rules: RuleSet) -> list[Telling]:
        """A flapping alert went on or off: nobody is told, and calm is waited for from now on."""
        self._count("muted", review.rule)
        over = event != "resume_alert"
        review.alert = "over" if over else "on"
        calm = parse_own_time(now) + rules.rule_by_id[review.rule].review.reopen_within
        review.calm_at = format_time(calm) if over else None
        self.book.change(review, review.state)
        self.alarms.set(review)
        return []

    def _open(self, incoming: Incoming, rules: RuleSet, around: Surroundings) -> Review | None:
        if self.book.open_count >= around.limits.reviews_open_max:
            self._count("refused", "too_many_reviews")
            return None
        rule, told, now = rules.rule_by_id[incoming.rule], incoming.told, incoming.now
        review = Review(
            id=review_id(incoming.rule, incoming.scope, parse_own_time(incoming.opened)),
            rule=incoming.rule,
            scope=incoming.scope,
            rule_set=rules.hash,
            close=rule.review.close,
            clock=incoming.clock,
            opened=now,
            moved=now,
            due=_due(rule, now, rules),
            first=incoming.opened,
            began=incoming.opened,
            event_time=told.event_time,
            size=incoming.size,
            silent=rule.mode == "shadow",
            historical=_is_old(told, around),
            firing=() if incoming.finding is None else (incoming.finding.id,),
        )
        self.book.add(review)
        return review

    def _step(self, review: Review, event: Event, now: str, rules: RuleSet, told: Told) -> list[Telling]:
        """Take a legal event: the state of the table, and its trigger."""
        made = move(review.state, event, review.standing)
        if made is None:
            self._count("refused", f"{event}_when_{review.state}")
            return []
        review.alert = made.alert or review.alert
        self.book.change(review, made.state)
        return self._tell(review, made.happening, told.cause or _CAUSES.get(event), now, rules, told)

    def _tell(
        self, review: Review, happening: Happening, cause: str | None, now: str, rules: RuleSet, told: Told
    ) -> list[Telling]:
        self._count("reviews", review.rule, "shadow" if review.silent else happening)
        review.ordinal += 1
        review.event_time, review.moved = told.event_time, now
        review.participants = participants_of(review, rules.rule_by_id[review.rule], rules, told.taking_part)
        if isinstance(told.moved_by, FindingName | TurnName):
            review.about = told.explanation(happening, review)
        self.book.dirty.add((review.rule, review.scope))
        self.alarms.set(review)
        return [Telling(trigger_of(review, happening, cause, now, rules, told), review.silent)]

    def _refuse(self, command: ReviewCommand, now: str, why: Refused) -> CommandEntry:
        self._count("commands_refused", why.reason)
        return CommandEntry(f"{command.id}-refused", now, command, "refused", why.reason, why.sentence)

    def _count(self, *name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


_CLOCK_NAMES: dict[Event, ClockWhat] = {
    "wake": "wake",
    "due": "due",
    "escalate": "escalate",
    "calm": "calm",
    "end_alert": "calm",
}


def _answered(review: Review, command: ReviewCommand, now: str, around: Surroundings) -> Sequence[Answered]:
    """Word of a verdict to those who count: the rule's precision, and the cadence of its KPI's reviews."""
    rules = around.rule_sets[review.rule_set]
    rule = rules.rule_by_id[review.rule]
    names = [review.rule, f"precision:{rule.id}", f"cadence:{rule.kpi}"]
    told = [name for name in names if name.startswith(_COUNTERS) and name in rules.rule_by_id]
    verdict = command.verdict or "real"
    return [Answered(about, review.id, review.rule, verdict, command.who, now) for about in dict.fromkeys(told)]


_COUNTERS = ("precision:", "cadence:")
"""How the engine's own rules are named, which count verdicts."""


def _is_repeat(review: Review, finding: Finding) -> bool:
    known = review.firing if finding.transition == "firing" else (review.cleared,)
    return finding.status != "withdrawn" and finding.id in known and review.state != "withdrawn"


def _is_worse(review: Review, incoming: Incoming, spec: ReviewSpec) -> bool:
    if spec.renotify is None or review.flapping or move(review.state, "worsen") is None:
        return False
    return spec.renotify.is_passed(incoming.size, review.size)


def _note(review: Review, incoming: Incoming) -> None:
    """Remember by which findings the review stands; an alert that moved is known by its new event time."""
    finding = incoming.finding
    if incoming.said == "fire" or (finding is not None and incoming.said == "amend_firing"):
        review.began = incoming.opened
    if finding is None:
        return
    if incoming.said in ("fire", "amend_firing"):
        review.firing = tuple(dict.fromkeys((*review.firing[:1], finding.id)))
    elif incoming.said in ("clear", "amend_clear"):
        review.cleared = finding.id
    elif incoming.said == "withdraw_clear":
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


def _due(rule: Rule, now: str, rules: RuleSet) -> str | None:
    due_in = rule.review.due_in
    return None if due_in is None else format_time(due_at(parse_own_time(now), due_in, rules))


def _is_old(told: Told, around: Surroundings) -> bool:
    return around.old_before is not None and parse_own_time(told.event_time) < around.old_before


def _escalated_to(review: Review, rules: RuleSet) -> str:
    chain = escalation_of(rules.rule_by_id[review.rule], rules)
    return chain[review.step - 1] if 0 < review.step <= len(chain) else ""


def _later(one: str, other: str) -> str:
    return max(one, other, key=parse_own_time)
