"""What each event does to a review in each state: the whole table, and what is not in it."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from engine.model.trigger import Happening, ReviewState
from engine.review.lifecycle import CLOCK, COMMANDS, ENDED, MOVES, OPEN, Event, move, transitions

STATES = ("open", "acknowledged", "in_review", "snoozed", "overdue", "escalated", "resolved", "withdrawn")
# Rows: events, and what is told of them. Columns: states as above, with the state afterwards; `=` the same, `.` illegal.
# ruff: noqa: E501 (a table is read across)
TABLE = """
amend        updated        =            =          =          =           =         =          =          .
worsen       renotified     =            =          =          .           =         =          .          .
end_alert    alert_ended    =            =          =          =           =         =          .          .
resume_alert alert_resumed  =            =          =          =           =         =          .          .
recover      resolved       resolved     resolved   resolved   resolved    resolved  resolved   .          .
withdraw     withdrawn      withdrawn    withdrawn  withdrawn  withdrawn   withdrawn withdrawn  withdrawn  .
reopen       reopened       .            .          .          .           .         .          open       open
flap         flapping       =            =          =          =           =         =          open       .
acknowledge  acknowledged   acknowledged .          .          .           =         =          .          .
assign       assigned       in_review    in_review  in_review  =           =         =          .          .
comment      commented      =            =          =          =           =         =          =          =
snooze       snoozed        snoozed      snoozed    snoozed    =           snoozed   snoozed    .          .
answer       answered       in_review    in_review  in_review  in_review   in_review in_review  =          .
resolve      resolved       resolved     resolved   resolved   resolved    resolved  resolved   .          .
wake         woken          .            .          .          open        .         .          .          .
due          overdue        overdue      overdue    overdue    .           .         .          .          .
escalate     escalated      .            .          .          .           escalated escalated  .          .
calm         resolved       resolved     resolved   resolved   resolved    resolved  resolved   .          .
release      opened         =            .          .          .           .         .          .          .
"""


def cells():
    for line in TABLE.strip().splitlines():
        event, happening, *row = line.split()
        for state, cell in zip(STATES, row, strict=True):
            yield event, happening, state, cell


@pytest.mark.parametrize(("event", "happening", "state", "cell"), [*cells()])
def test_each_state_and_event(event: Event, happening: Happening, state: ReviewState, cell: str):
    made = move(state, event)
    if cell == ".":
        assert made is None
    else:
        assert made is not None
        assert (made.state, made.happening) == (state if cell == "=" else cell, happening)


@pytest.mark.parametrize("standing", ["open", "acknowledged", "in_review"])
def test_a_wake_goes_back_to_what_people_made_of_the_review(standing: Any):
    made = move("snoozed", "wake", standing)
    assert made is not None
    assert made.state == standing


def test_the_table_above_is_the_whole_table():
    assert set(STATES) == set(get_args(ReviewState)) == {*OPEN, *ENDED}
    assert {event for event, *_ in cells()} == set(get_args(Event)) == {event for _, event in MOVES}
    legal = {(state, event) for event, _, state, cell in cells() if cell != "."}
    assert legal == set(MOVES)
    assert {(state, event) for state, event, _ in transitions()} == legal
    assert {*COMMANDS, *CLOCK} < set(get_args(Event))


def test_every_transition_has_a_type_of_its_own_and_none_is_never_used():
    told = {move.happening for _, _, move in transitions()}
    assert told | {"opened"} == set(get_args(Happening))


def test_only_the_clock_makes_a_review_late_and_only_a_person_snoozes_it():
    for state, event in product(STATES, get_args(Event)):
        made = move(state, event)
        if made is None or made.state == state:
            continue
        assert (made.state in ("overdue", "escalated")) == (event in ("due", "escalate"))
        assert (made.state == "snoozed") == (event == "snooze")
        assert (made.happening == "withdrawn") == (made.state == "withdrawn")
