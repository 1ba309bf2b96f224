"""What each event does to a review in each state: the whole table, and what is not in it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from engine.review.lifecycle import OPEN, Close, Event, State, move

STATES = ("firing", "ended", "resolved", "answered", "withdrawn")
EVENTS = (
    "fire",
    "amend_firing",
    "withdraw_firing",
    "clear",
    "amend_clear",
    "withdraw_clear",
    "acknowledge",
    "answer",
)
# Rows: states. Columns: events as above. `state:happening`, empty where nothing happens.
# ruff: noqa: E501 (a table is read across)
ON_ANSWER = """
firing    |                | firing:updated   | withdrawn:withdrawn | ended:updated    | ended:updated    |                | firing:updated | answered:resolved
ended     | firing:updated | ended:updated    | withdrawn:withdrawn | ended:updated    | ended:updated    | firing:updated | ended:updated  | resolved:resolved
resolved  | firing:updated | resolved:updated | withdrawn:withdrawn | resolved:updated | resolved:updated | firing:updated |                |
answered  |                | answered:updated | withdrawn:withdrawn |                  |                  |                |                |
withdrawn | firing:updated | firing:updated   |                     |                  |                  |                |                |
"""
ON_RECOVERY = """
firing    |                | firing:updated   | withdrawn:withdrawn | resolved:resolved | resolved:resolved |                | firing:updated |
resolved  | firing:updated | resolved:updated | withdrawn:withdrawn | resolved:updated  | resolved:updated  | firing:updated |                |
withdrawn | firing:updated | firing:updated   |                     |                   |                   |                |                |
"""


def rows(table: str):
    for line in table.strip().splitlines():
        state, *cells = (cell.strip() for cell in line.split("|"))
        yield from ((state, event, cell) for event, cell in zip(EVENTS, cells, strict=True))


@pytest.mark.parametrize(
    ("close", "state", "event", "expected"),
    [
        *(("on_answer", *row) for row in rows(ON_ANSWER)),
        *(("on_recovery", *row) for row in rows(ON_RECOVERY)),
    ],
)
def test_each_state_and_event(close: Close, state: State, event: Event, expected: Any):
    made = move(state, event, close)
    assert ("" if made is None else f"{made.state}:{made.happening}") == expected


def test_only_an_answer_or_a_recovery_closes_and_nothing_opens_twice():
    for state, event, close in product(STATES, EVENTS, ("on_answer", "on_recovery")):
        made = move(state, event, close)
        if made is None:
            continue
        assert (made.happening == "resolved") == (state in OPEN and made.state in ("resolved", "answered"))
        assert (made.happening == "withdrawn") == (made.state == "withdrawn")
        assert made.happening != "opened"
