"""One review: an obligation with its life so far, and the book that holds all of a partition's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from engine.model.finding import Finding
from engine.model.judgement import Judgement
from engine.model.records import Verdict
from engine.model.trigger import AlertState, ReviewState
from engine.review.alert import Alert, alert_state
from engine.review.lifecycle import OPEN, Close

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED_KEPT = 8
"""Ended reviews of one (rule, scope) that amendments can still reach; older ones are final."""

BARRIERS = -1
"""The clock of joined and grouped reviews, beside those of the stage 1 partitions."""

Key = tuple[str, str]
"""(rule, scope)."""


class Untold(msgspec.Struct):
    """Why nobody has been told of a review: its alert began in maintenance, for `reason`. While it `waits`, the tick
    `until` tells of it if its alert is still on then. `finding` or `judgement` is what said so last.
    """

    reason: str
    until: str
    finding: Finding | None = None
    judgement: Judgement | None = None
    waits: bool = True


class Review(msgspec.Struct):
    """What somebody owes. `first` is the event time of the alert that named it; `alerts` are those that it is about.

    `clock`: the stage 1 partition whose progress is its time; BARRIERS: the barriers' (joined and grouped reviews).
    `opened` is the tick it opened at, `moved` that of its last transition. `silent`: opened by a rule in shadow
    mode, so that nobody is ever told of it. `about` is the sentence of what last moved its alert, `size` what it was
    told to be then (members, or the worst effect). `returns` counts how often in a row the alert came back within the
    rule's `reopen_within`. `commands` are the ids of the last ones that were taken. `closed`: number in the order of
    ending, 0 while open. `untold`: maintenance holds it back.
    """

    id: str
    rule: str
    scope: str
    rule_set: str
    close: Close
    clock: int
    opened: str
    moved: str
    due: str | None
    first: str
    event_time: str
    alerts: tuple[Alert, ...] = ()
    state: ReviewState = "open"
    silent: bool = False
    historical: bool = False
    ordinal: int = 0
    participants: tuple[str, ...] = ()
    about: str = ""
    size: float = 0.0
    returns: int = 0
    flapping: bool = False
    calm_at: str | None = None
    acknowledged_by: str | None = None
    assignee: str | None = None
    snoozed_until: str | None = None
    step: int = 0
    escalate_at: str | None = None
    verdict: Verdict | None = None
    answer: str | None = None
    commands: tuple[str, ...] = ()
    closed: int = 0
    untold: Untold | None = None

    @property
    def alert(self) -> AlertState:
        """Whether what it is about still fires."""
        return alert_state(self.alerts)

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes something."""
        return self.state in OPEN

    @property
    def ends_on_recovery(self) -> bool:
        """Whether it ends with its alert: nobody is asked for an answer, or somebody has given it."""
        return self.silent or not self.awaits_answer

    @property
    def awaits_answer(self) -> bool:
        """Whether its alert's end is not enough: somebody is to answer, and nobody has."""
        return self.close == "on_answer" and not self.historical and self.verdict is None

    @property
    def standing(self) -> ReviewState:
        """Where it stands by what people did with it, whatever the clock says."""
        if self.assignee is not None or self.verdict is not None:
            return "in_review"
        return "open" if self.acknowledged_by is None else "acknowledged"

    def begin_anew(self, due: str | None, *, historical: bool) -> None:
        """Forget what people and clock made of it: its alert came back after it had ended."""
        self.due, self.step, self.escalate_at = due, 0, None
        self.acknowledged_by = self.assignee = self.snoozed_until = self.verdict = self.answer = None
        self.historical = historical


class Book:
    """The reviews of one partition by (rule, scope), oldest first. `dirty` names what changed since it was cleared."""

    def __init__(self, closed_max: int) -> None:
        self.closed_max = closed_max
        self.reviews: dict[Key, list[Review]] = {}
        self.dirty: set[Key] = set()
        self.open_count = 0
        self.open_by_rule: Counter[str] = Counter()
        """Open reviews that somebody was told of."""
        self._by_id: dict[str, Key] = {}
        self._closed: dict[int, Key] = {}
        self.closings = 0

    def of(self, key: Key) -> list[Review]:
        """The reviews of a rule and scope, oldest first."""
        return self.reviews.get(key, [])

    def every(self) -> Iterator[Review]:
        """All of them."""
        return (review for each in self.reviews.values() for review in each)

    def find(self, review: str) -> Review | None:
        """By id."""
        key = self._by_id.get(review)
        return None if key is None else next((each for each in self.reviews[key] if each.id == review), None)

    def add(self, review: Review) -> None:
        """Enter one that was just opened."""
        key = (review.rule, review.scope)
        self.reviews.setdefault(key, []).append(review)
        self._by_id[review.id] = key
        self._count(review, 1)
        self.dirty.add(key)

    def reveal(self, review: Review) -> None:
        """Everybody may know of an open review that was held back."""
        self._count(review, -1)
        review.untold = None
        self._count(review, 1)

    def change(self, review: Review, state: ReviewState) -> None:
        """Give it another state (or the same) and let go of closed ones that are too many."""
        key = (review.rule, review.scope)
        was_open, review.state = review.is_open, state
        self.dirty.add(key)
        if was_open and not review.is_open:
            self._count(review, -1)
            self.closings += 1
            review.closed = self.closings
            self._closed[review.closed] = key
            self._prune(key)
        elif not was_open and review.is_open:
            self._count(review, 1)
            self._closed.pop(review.closed, None)
            review.closed = 0

    def _count(self, review: Review, by: int) -> None:
        self.open_count += by
        if not review.silent and review.untold is None:
            self.open_by_rule[review.rule] += by

    def _prune(self, key: Key) -> None:
        closed = [review for review in self.reviews[key] if review.closed]
        if len(closed) > CLOSED_KEPT:
            self._drop(key, min(review.closed for review in closed))
        if len(self._closed) > self.closed_max:
            oldest = next(iter(self._closed))
            self._drop(self._closed[oldest], oldest)

    def _drop(self, key: Key, closed: int) -> None:
        del self._closed[closed]
        gone = next(review for review in self.reviews[key] if review.closed == closed)
        self.reviews[key].remove(gone)
        del self._by_id[gone.id]
        self.dirty.add(key)
        if not self.reviews[key]:
            del self.reviews[key]

    def restore(self, reviews: dict[Key, list[Review]], closings: int) -> None:
        """Become what was written; `closings` is how many reviews have closed so far."""
        self.reviews = reviews
        self.dirty.clear()
        entries = [(review, key) for key, each in reviews.items() for review in each]
        self._by_id = {review.id: key for review, key in entries}
        self.open_count = 0
        self.open_by_rule.clear()
        for review, _ in entries:
            if review.is_open:
                self._count(review, 1)
        self._closed = dict(sorted((review.closed, key) for review, key in entries if review.closed))
        self.closings = closings
