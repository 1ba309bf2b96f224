"""Threads of a backtest: the order is that of one thread, what fails is heard of, and little is held."""

import sys
import threading
from collections.abc import Iterator

import pytest

from engine.offline.backtest.beside import Beside, ahead, short_turns


def test_items_made_ahead_come_in_their_order():
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []


def test_one_item_is_made_ahead_and_no_more():
    made, second = [], threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert second.wait(10)
    assert made == [0, 1]
    assert list(coming) == [1, 2, 3, 4]


def test_what_fails_ahead_is_raised_behind_what_came_before_it():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="the second"):
        next(coming)


def test_what_is_done_beside_is_done_in_its_order_and_all_of_it():
    taken = []
    beside = Beside()
    for number in range(100):
        beside.do(taken.append, number)
    beside.finish()
    assert taken == list(range(100))


def test_what_fails_beside_is_raised_before_the_end():
    def refuse(number: int) -> None:
        raise ValueError(f"number {number}")

    beside = Beside()
    beside.do(refuse, 1)
    with pytest.raises(ValueError, match="number 1"):
        beside.finish()


def test_turns_are_short_while_something_runs_and_as_before_behind_it():
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
