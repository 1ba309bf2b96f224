"""When the clock has something to do for a review: a heap a clock, made anew from the reviews after a restart."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from engine.model.time import Micros, parse_own_time
from engine.review.lifecycle import CLOCK, MOVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.review.lifecycle import Event
    from engine.review.review import Book, Review


def next_event(review: Review) -> tuple[Micros, Event] | None:
    """What the clock does next to a review, and when; None while nothing is to come.

    An answered review is due no more, and of one in shadow mode nobody is asked anything. One that maintenance holds
    back waits for its end.
    """
    if review.untold is not None:
        return (parse_own_time(review.untold.until), "release") if review.untold.waits else None
    if not review.is_open or review.silent:
        return None
    times: list[tuple[str | None, Event]] = [(review.snoozed_until, "wake")]
    if review.verdict is None:
        times += [(review.due, "due"), (review.escalate_at, "escalate")]
    if review.flapping and review.alert == "over":
        times.append((review.calm_at, "calm"))
    found = [
        (parse_own_time(time), event)
        for time, event in times
        if time is not None and event in CLOCK and (review.state, event) in MOVES
    ]
    return min(found, default=None)


class Alarms:
    """The next event of each open review of a book, by the clock that it lives by."""

    def __init__(self) -> None:
        self._heaps: dict[int, list[tuple[Micros, str]]] = {}
        self._noted: dict[str, Micros] = {}
        """The newest note of each review: without it a review that is amended often would fill the heap."""

    def set(self, review: Review) -> None:
        """Note when the clock comes for it next; earlier notes of it are passed over when their time comes."""
        found = next_event(review)
        if found is not None and self._noted.get(review.id) != found[0]:
            self._noted[review.id] = found[0]
            heapq.heappush(self._heaps.setdefault(review.clock, []), (found[0], review.id))

    def restore(self, reviews: Iterable[Review]) -> None:
        """Begin anew."""
        self._heaps, self._noted = {}, {}
        for review in reviews:
            self.set(review)

    def due(self, clock: int, now: Micros, book: Book) -> Iterator[tuple[Review, Event]]:
        """Each review with an event that has come by `now`, earliest first. Whoever takes one sets it again."""
        heap = self._heaps.get(clock, [])
        while heap and heap[0][0] <= now:
            at, name = heapq.heappop(heap)
            if self._noted.get(name) == at:
                del self._noted[name]
            review = book.find(name)
            found = None if review is None else next_event(review)
            if review is not None and found is not None and found[0] == at:
                yield review, found[1]
