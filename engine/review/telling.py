"""A legal event into a review: its state by the table, its trigger, and when the clock comes for it next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engine.model.time import format_time, parse_own_time
from engine.model.trigger import FindingName, TurnName
from engine.review.alarms import Alarms
from engine.review.lifecycle import ALERT_ENDED, AMENDED, CALM, FIRES_AGAIN, FLAPS, SLEPT, WORSE, move
from engine.review.trigger import participants_of, trigger_of
from engine.rules.due import due_at

if TYPE_CHECKING:
    from engine.model.trigger import Happening, ReviewTrigger
    from engine.review.lifecycle import Event
    from engine.review.review import Book, Review
    from engine.review.trigger import Told
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


class Telling(NamedTuple):
    """A trigger, and whether it is of a rule in shadow mode: then nobody is notified."""

    trigger: ReviewTrigger
    shadow: bool


_CAUSES: Final[dict[Event, str]] = {
    "amend": AMENDED,
    "worsen": WORSE,
    "end_alert": ALERT_ENDED,
    "resume_alert": FIRES_AGAIN,
    "reopen": FIRES_AGAIN,
    "flap": FLAPS,
    "calm": CALM,
    "wake": SLEPT,
}


class Teller:
    """Moves the reviews of a book and says so. `counts` is no part of the state."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.alarms = Alarms()
        self.counts: dict[tuple[str, ...], int] = {}

    def step(self, review: Review, event: Event, now: str, rules: RuleSet, told: Told) -> list[Telling]:
        """Take an event: the state of the table and its trigger; nothing where it is not legal."""
        made = move(review.state, event, review.standing)
        if made is None:
            self.count("refused", f"{event}_when_{review.state}")
            return []
        self.book.change(review, made.state)
        return [self.tell(review, made.happening, told.cause or _CAUSES.get(event), now, rules, told)]

    def tell(
        self, review: Review, happening: Happening, cause: str | None, now: str, rules: RuleSet, told: Told
    ) -> Telling:
        """The trigger of a transition that was made."""
        self.count("reviews", review.rule, "shadow" if review.silent else happening)
        review.ordinal += 1
        review.event_time, review.moved = told.event_time, now
        review.participants = participants_of(review, rules.rule_by_id[review.rule], rules, told.taking_part)
        explanation = told.explanation(happening, review)
        if isinstance(told.moved_by, FindingName | TurnName):
            review.about = explanation
        self.keep(review)
        return Telling(trigger_of(review, happening, cause, now, rules, told, explanation), review.silent)

    def keep(self, review: Review) -> None:
        """A review has changed without a word, or with one."""
        self.book.dirty.add((review.rule, review.scope))
        self.alarms.set(review)

    def count(self, *name: str) -> None:
        """One more of these."""
        self.counts[name] = self.counts.get(name, 0) + 1


def due_of(rule: Rule, now: str, rules: RuleSet) -> str | None:
    """When a review that opens at the tick `now` is due."""
    due_in = rule.review.due_in
    return None if due_in is None else format_time(due_at(parse_own_time(now), due_in, rules))


def later(one: str, other: str) -> str:
    """The later of two times."""
    return max(one, other, key=parse_own_time)
