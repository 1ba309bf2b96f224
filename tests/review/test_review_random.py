"""A million findings, commands and ticks at random: what must always hold of reviews does."""

from __future__ import annotations

import msgspec
import pytest
from random_life import RandomLife

from engine.model.trigger import Happening
from engine.review.advance import Advance
from engine.review.review import Book, Review

STEPS = 250_000
STORED = list[tuple[tuple[str, str], list[Review]]]


@pytest.mark.parametrize("close", ["on_answer", "on_recovery"])
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_reviews_stay_legal_owed_and_in_time(close: str, seed: int):
    life = RandomLife(seed, 40, close)
    for number in range(STEPS):
        life.step()
        if number % 500 == 0:
            life.tick()
            life.check()
    expected = {*Happening.__args__} - ({"alert_ended", "alert_resumed"} if close == "on_recovery" else set())
    assert expected <= set(life.counts), expected - set(life.counts)
    assert {"acknowledge refused", "snooze accepted", "resolve accepted", "resolved withdrawn"} <= set(life.counts)


@pytest.mark.parametrize("close", ["on_answer", "on_recovery"])
def test_what_maintenance_holds_back_is_neither_lost_nor_told_twice(close: str):
    life = RandomLife(3, 20, f"{close} in maintenance")
    for number in range(STEPS // 50):
        life.step()
        if number % 500 == 0:
            life.tick()
            life.check()
    held = [review for review in life.advance.book.every() if review.untold is not None]
    assert held
    assert 50 < life.counts["opened"] < life.counts["firing new"]


@pytest.mark.parametrize("close", ["on_answer", "on_recovery", "on_answer in maintenance"])
def test_a_restart_at_any_time_changes_nothing_of_what_follows(close: str):
    whole, cut = RandomLife(2, 10, close), RandomLife(2, 10, close)
    for number in range(3_000):
        assert msgspec.json.encode([*map(str, whole.step())]) == msgspec.json.encode([*map(str, cut.step())])
        if number % 7 == 0:
            book, held = Book(10**6), cut.advance.book
            stored = msgspec.msgpack.encode(list(held.reviews.items()))
            book.restore(dict(msgspec.msgpack.decode(stored, type=STORED)), held.closings)
            cut.advance = Advance(book)
            cut.advance.restored()
