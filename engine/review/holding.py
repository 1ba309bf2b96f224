"""Maintenance: what begins to fire in it opens its review quietly, and is told of if it is still on afterwards.

Tick time is not compared with event time here: a review waits for as long (by ticks, from the one that it opened at)
as event time has to go to the end of the maintenance, and for what its rule needs to see that all is well again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.finding import Finding
from engine.model.judgement import Judgement
from engine.model.time import format_time, parse_own_time
from engine.review.alert import applied, knows
from engine.review.incoming import of_finding, of_judgement
from engine.review.review import Review, Untold
from engine.review.telling import due_of, later
from engine.rules.maintenance import planned, settle

if TYPE_CHECKING:
    from engine.review.incoming import Incoming
    from engine.review.telling import Teller, Telling
    from engine.rules.ruleset import RuleSet


def untold_of(incoming: Incoming, rules: RuleSet) -> Untold | None:
    """Why nobody is told yet of an alert that begins, and until which tick; None where it is told at once."""
    rule, event_time = rules.rule_by_id[incoming.rule], parse_own_time(incoming.told.event_time)
    found = planned(rule, event_time, rules)
    if found is None:
        return None
    wait = max(0, found.end - event_time + settle(rule, rules))
    until = format_time(parse_own_time(incoming.now) + wait)
    return _said(Untold(found.reason, until), incoming)


def hear(review: Review, incoming: Incoming, rules: RuleSet, teller: Teller) -> list[Telling]:
    """What is said of the alert of a review that nobody was told of: it is taken in without a word. One that is over
    ends quietly; one that fires again outside of maintenance, or is said to have fired on through it all, is told.
    """
    after = None if knows(review.alerts, incoming.word) else applied(review.alerts, incoming.word)
    untold = review.untold
    if after is None or untold is None:
        teller.count("refused", f"{incoming.word.said}_when_untold")
        return []
    review.alerts, review.moved = after, later(incoming.now, review.moved)
    if review.alert != "on":
        if review.is_open:
            untold.waits = False
            teller.book.change(review, "resolved" if review.alert == "over" else "withdrawn")
        teller.keep(review)
        return []
    if incoming.word.said in ("fire", "amend_firing"):
        review.size = incoming.size
        _said(untold, incoming)
    return [] if _waits_on(review, untold, incoming, rules, teller) else release(review, review.moved, rules, teller)


def release(review: Review, now: str, rules: RuleSet, teller: Teller) -> list[Telling]:
    """Maintenance is over at the tick `now`, and the alert still on: the review opens for all to see."""
    untold, rule = review.untold, rules.rule_by_id[review.rule]
    if untold is None:
        return []
    if untold.finding is not None:
        told = of_finding(untold.finding, review.clock, rules).told
    elif untold.judgement is not None:
        told = of_judgement(untold.judgement, None, rules).told
    else:
        return []
    if not review.is_open:
        teller.book.change(review, "open")
    teller.book.reveal(review)
    review.opened, review.due = now, due_of(rule, now, rules)
    return teller.step(review, "release", now, rules, told._replace(cause=f"still on after: {untold.reason}"))


def _waits_on(review: Review, untold: Untold, incoming: Incoming, rules: RuleSet, teller: Teller) -> bool:
    """Whether a review whose alert is on is still held back; one that had ended quietly may be once more."""
    if untold.waits:
        teller.keep(review)
        return True
    if incoming.word.said == "fire":
        again = untold_of(incoming, rules)
        if again is None:
            return False
        review.untold = untold = again
    elif parse_own_time(untold.until) <= parse_own_time(review.moved):
        return False
    untold.waits = True
    teller.book.change(review, "open")
    teller.keep(review)
    return True


def _said(untold: Untold, incoming: Incoming) -> Untold:
    source = incoming.source
    untold.finding = source if isinstance(source, Finding) else None
    untold.judgement = source if isinstance(source, Judgement) else None
    return untold
