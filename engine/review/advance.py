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
from engine.review.alert import Alert, applied, knows, place_of
from engine.review.clock import strike
from engine.review.command import Refused, take
from engine.review.command import event_of as command_event
from engine.review.holding import hear, release, untold_of
from engine.review.incoming import event_of, is_soon, of_finding, of_judgement, returning_to
from engine.review.lifecycle import FIRES_ON, FLAPS, NOT_TOLD, move
from engine.review.review import BARRIERS, Review
from engine.review.telling import Teller, Telling, due_of, later
from engine.review.trigger import Told
from engine.review.words import sentence_of_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.limits import Limits
    from engine.model.records import ReviewCommand
    from engine.review.alert import Alerts
    from engine.review.incoming import Incoming
    from engine.review.lifecycle import Event
    from engine.review.review import Book
    from engine.rules.resolved.rule import ReviewSpec, Rule
    from engine.rules.ruleset import RuleSet

Said = Telling | CommandEntry | Answered


class Surroundings(NamedTuple):
    """What advancing must know beside the reviews.

    `rule_sets` by hash. `times`: the time of each clock (a stage 1 partition, or BARRIERS) as it stands. `live`: the
    newest tick of the partition's own (None: there is none, or history is replayed): what is about a time further than
    `notify_within` before it opens as historical, where the rule says nothing else (None: nothing does).
    """

    rule_sets: Mapping[str, RuleSet]
    limits: Limits
    times: Mapping[int, Micros]
    live: Micros | None = None
    notify_within: Micros | None = None


class Advance:
    """The reviews of one partition and what is counted of them. `counts` is no part of the state."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._teller = Teller(book)

    @property
    def counts(self) -> dict[tuple[str, ...], int]:
        """What happened since this object was made."""
        return self._teller.counts

    def restored(self) -> None:
        """The book has become what was written: set the alarms of its reviews."""
        self._teller.alarms.restore(self.book.every())

    def finding(self, finding: Finding, clock: int, around: Surroundings) -> list[Said]:
        """A finding of one series acts at once, from the stage 1 partition `clock`; or at a barrier (`BARRIERS`)."""
        self._teller.count("findings", finding.rule, finding.transition, finding.status)
        rules = around.rule_sets.get(finding.evidence.rule_set)
        if rules is None or finding.rule not in rules.rule_by_id:
            reviews = self.book.of((finding.rule, finding.scope))
            rules = around.rule_sets.get(reviews[-1].rule_set) if reviews else None
        if rules is None or finding.rule not in rules.rule_by_id:
            self._teller.count("refused", "unknown_rule")
            return []
        barrier = around.times.get(BARRIERS) if clock == BARRIERS else None
        return [*self._alert(of_finding(finding, clock, rules, barrier), rules, around)]

    def judgement(self, judgement: Judgement, around: Surroundings) -> list[Said]:
        """What correlation or governance found at a barrier."""
        self._teller.count("judgements", judgement.rule, judgement.turn)
        rules = around.rule_sets[judgement.rule_set]
        return [*self._alert(of_judgement(judgement, around.times.get(BARRIERS), rules), rules, around)]

    def command(self, command: ReviewCommand, around: Surroundings) -> list[Said]:
        """What a person asks. It is always answered; one that is refused changes no byte of any review."""
        review = self.book.find(command.review)
        unheard = review is None or review.silent or review.untold is not None
        if review is None or unheard or review.rule_set not in around.rule_sets:
            at = max(around.times.values(), default=parse_own_time(command.time))
            return [self._refuse(command, format_time(at), Refused("unknown_review", "there is no such review"))]
        now = later(format_time(around.times.get(review.clock, 0)), review.moved)
        if command.id in review.commands:
            return [CommandEntry(f"{command.id}-repeat", now, command, "repeat")]
        event = command_event(command, review, parse_own_time(now))
        if isinstance(event, Refused):
            return [self._refuse(command, now, event)]
        take(command, review)
        said = sentence_of_command(command)
        told = Told(review.event_time, None, None, said, lambda *_: said, command)
        tellings = self._teller.step(review, event, now, around.rule_sets[review.rule_set], told)
        trigger = tellings[-1].trigger.id if tellings else None
        accepted = CommandEntry(command.id, now, command, "accepted", trigger=trigger)
        counted = [] if command.verdict is None else _answered(review, command, now, around)
        return [*tellings, accepted, *counted]

    def _refuse(self, command: ReviewCommand, now: str, why: Refused) -> CommandEntry:
        self._teller.count("commands_refused", why.reason)
        return CommandEntry(f"{command.id}-refused", now, command, "refused", why.reason, why.sentence)

    def tick(self, clock: int, now: Micros, around: Surroundings) -> list[Said]:
        """The time of a clock has come to `now`: wake, remind and escalate what lives by it."""
        said: list[Said] = []
        for review, due in self._teller.alarms.due(clock, now, self.book):
            rules = around.rule_sets.get(review.rule_set)
            if rules is not None and review.untold is not None:
                said += release(review, format_time(now), rules, self._teller)
            elif rules is not None:
                event, told = strike(review, due, format_time(now), rules)
                said += self._teller.step(review, event, format_time(now), rules, told)
        return said

    def _alert(self, incoming: Incoming, rules: RuleSet, around: Surroundings) -> list[Telling]:
        """Open a review, or take what is said into the one that it is about."""
        word, spec = incoming.word, rules.rule_by_id[incoming.rule].review
        review = self._meant(incoming, spec)
        if review is None:
            if word.said not in ("fire", "amend_firing"):
                self._teller.count("refused", "no_review")
                return []
            return self._open(incoming, rules, around)
        if review.untold is not None:
            return hear(review, incoming, rules, self._teller)
        if self._comes_back_in_maintenance(review, incoming, rules):
            return self._open(incoming, rules, around)
        return self._take_in(review, incoming, rules, around)

    def _take_in(self, review: Review, incoming: Incoming, rules: RuleSet, around: Surroundings) -> list[Telling]:
        word, spec = incoming.word, rules.rule_by_id[incoming.rule].review
        if knows(review.alerts, word):
            self._teller.count("refused", "repeat")
            return []
        after = applied(review.alerts, word)
        event = None if after is None else event_of(word, review, after)
        if event == "amend" and _is_worse(review, incoming, spec):
            event = "worsen"
        if after is None or event is None or move(review.state, event) is None:
            self._teller.count("refused", f"{word.said}_when_{review.state}")
            return []
        return self._move(review, event, after, incoming, rules, around)

    def _comes_back_in_maintenance(self, review: Review, incoming: Incoming, rules: RuleSet) -> bool:
        """A review that has ended is not opened again by what is expected: that has a quiet one of its own."""
        word = incoming.word
        fresh = word.said == "fire" and place_of(review.alerts, word) is None and review.first != word.opened
        return fresh and not review.is_open and untold_of(incoming, rules) is not None

    def _meant(self, incoming: Incoming, spec: ReviewSpec) -> Review | None:
        """The newest review that has seen the alert, or is named by it; else the one that a new alert goes on with."""
        reviews, word = self.book.of((incoming.rule, incoming.scope)), incoming.word
        seen = [review for review in reviews if place_of(review.alerts, word) is not None]
        named = seen or [review for review in reviews if review.first == word.opened]
        if named or word.said != "fire":
            return named[-1] if named else None
        return returning_to(reviews, incoming.told.event_time, spec)

    def _move(
        self,
        review: Review,
        event: Event,
        after: Alerts,
        incoming: Incoming,
        rules: RuleSet,
        around: Surroundings,
    ) -> list[Telling]:
        rule, now, told = rules.rule_by_id[review.rule], later(incoming.now, review.moved), incoming.told
        if incoming.word.said == "fire" and review.alert == "over":
            review.returns = review.returns + 1 if is_soon(review, told.event_time, rule.review) else 0
            if review.returns >= rule.review.flap_after and not review.flapping:
                event, review.flapping, told = "flap", True, told._replace(cause=FLAPS)
        review.alerts = after
        if incoming.word.said == "withdraw_clear":
            told = told._replace(cause=told.cause or FIRES_ON)
        if event == "recover" and review.historical and review.close == "on_answer":
            told = told._replace(cause=told.cause or NOT_TOLD)
        if incoming.word.said == "withdraw_firing":  # what never was has not come back
            review.returns = max(0, review.returns - 1)
        if event == "withdraw":
            review.flapping, review.returns, review.calm_at = False, 0, None
        if event in ("worsen", "reopen", "resume_alert"):
            review.size = max(review.size, incoming.size)
        if review.flapping and event in ("recover", "end_alert", "resume_alert"):
            return self._mute(review, now, rule.review)
        if event == "reopen" or (event == "flap" and not review.is_open):
            review.begin_anew(due_of(rule, now, rules), historical=_is_old(told, rule, around))
        return self._teller.step(review, event, now, rules, told)

    def _mute(self, review: Review, now: str, spec: ReviewSpec) -> list[Telling]:
        """A flapping alert went on or off: nobody is told, and calm is waited for from now on."""
        self._teller.count("muted", review.rule)
        calm = parse_own_time(now) + spec.reopen_within
        review.calm_at = format_time(calm) if review.alert == "over" else None
        self._teller.keep(review)
        return []

    def _open(self, incoming: Incoming, rules: RuleSet, around: Surroundings) -> list[Telling]:
        if self.book.open_count >= around.limits.reviews_open_max:
            self._teller.count("refused", "too_many_reviews")
            return []
        rule, word, now = rules.rule_by_id[incoming.rule], incoming.word, incoming.now
        untold = untold_of(incoming, rules)
        review = Review(
            id=review_id(incoming.rule, incoming.scope, parse_own_time(word.opened)),
            rule=incoming.rule,
            scope=incoming.scope,
            rule_set=rules.hash,
            close=rule.review.close,
            clock=incoming.clock,
            opened=now,
            moved=now,
            due=due_of(rule, now, rules) if untold is None else None,
            first=word.opened,
            alerts=(Alert(word.opened, word.identifier),),
            event_time=incoming.told.event_time,
            size=incoming.size,
            silent=rule.mode == "shadow",
            historical=_is_old(incoming.told, rule, around),
            untold=untold,
        )
        self.book.add(review)
        if untold is not None:
            self._teller.keep(review)
            return []
        return [self._teller.tell(review, "opened", None, now, rules, incoming.told)]


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


def _is_worse(review: Review, incoming: Incoming, spec: ReviewSpec) -> bool:
    if review.flapping or move(review.state, "worsen") is None:
        return False
    return incoming.again or (spec.renotify is not None and spec.renotify.is_passed(incoming.size, review.size))


def _is_old(told: Told, rule: Rule, around: Surroundings) -> bool:
    within = around.notify_within if rule.notify_within is None else rule.notify_within
    if around.live is None or within is None:
        return False
    return parse_own_time(told.event_time) < around.live - within
