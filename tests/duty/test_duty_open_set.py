"""What stands, in which order, and which reviews are meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from on_call import EWR, JFK, OLD, STORY, trigger

from engine.errors import ConfigError
from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.offline.duty.open_set import by_urgency, is_late, life_of, newest_of, short_length
from engine.offline.duty.selectors import find_review, parse_matchers, seen_in, select
from engine.offline.duty.words import about_words, due_words, how_long, owner_words
from engine.wire.times import parse_time

NOON = parse_time("2026-03-02T12:30:00Z")
NEWEST = newest_of(STORY)


@given(st.permutations([*STORY, *STORY]))
def test_the_newest_of_each_is_found_in_whatever_order_and_how_often_they_come(triggers: list):
    found = newest_of(triggers)
    assert {review: each.data.ordinal for review, each in found.items()} == {EWR: 3, JFK: 1, OLD: 2}
    assert [each.data.ordinal for each in life_of(triggers, EWR)] == [1, 2, 3]


def test_the_overdue_come_first_then_by_due_then_what_ended():
    without_due = trigger("7" * 32, due=None)
    found = by_urgency([without_due, NEWEST[OLD], NEWEST[JFK], NEWEST[EWR]], NOON)
    assert [each.data.review for each in found] == [EWR, JFK, "7" * 32, OLD]


def test_a_review_is_late_by_its_state_or_by_the_time_unless_it_is_snoozed_or_ended():
    assert not is_late(trigger(), NOON - HOUR)
    assert is_late(trigger(), NOON)
    assert is_late(trigger(state="escalated"), NOON - HOUR)
    assert not is_late(trigger(state="snoozed"), NOON)
    assert not is_late(trigger(happening="resolved"), NOON)


def test_ids_are_shown_as_short_as_they_can_be_told_apart():
    assert short_length([]) == 8
    assert short_length([EWR, JFK]) == 8
    assert short_length(["abcdefghij1", "abcdefghij2"]) == 11


@pytest.mark.parametrize(
    ("beginning", "review"), [(EWR, EWR), ("142cc", EWR), ("142CC9", EWR), (f"{JFK}-1", JFK), ("5f", OLD)]
)
def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one(beginning: str, review: str):
    assert find_review(NEWEST, beginning) == review


@pytest.mark.parametrize(
    ("beginning", "message"),
    [("142c", "is the beginning of 2 reviews: 142cc.*, 142cd"), ("9", "no review like it"), ("", "no review like it")],
)
def test_a_beginning_of_several_or_none_is_refused(beginning: str, message: str):
    with pytest.raises(ConfigError, match=message):
        find_review(NEWEST, beginning)


def test_an_id_may_name_the_transition_that_was_seen():
    assert [seen_in(each) for each in ("142c", "142c-7", "142c-", "142c-x")] == [None, 7, None, None]


@pytest.mark.parametrize(
    ("ids", "where", "ended", "expected"),
    [
        ((), (), False, {EWR, JFK}),
        ((), (), True, {EWR, JFK, OLD}),
        ((), ("origin=JFK",), False, {JFK}),
        ((), ("rule=~late.*", "severity!=info"), False, {EWR}),
        ((), ("rule!~late.*",), True, {JFK}),
        (("142cc", "5f"), (), False, {EWR, OLD}),
        (("142cc", "5f"), ("severity=critical",), False, {EWR}),
    ],
)
def test_reviews_are_selected_by_id_and_by_label(ids: tuple, where: tuple, ended: bool, expected: set):  # noqa: FBT001
    found = select(NEWEST, ids, parse_matchers(where), ended=ended)
    assert {each.data.review for each in found} == expected


def test_every_wrong_matcher_is_named():
    with pytest.raises(ConfigError) as raised:
        parse_matchers(["severity", "rule=~("])
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0, "0 s"),
        (59 * SECOND, "59 s"),
        (119 * MINUTE, "119 min"),
        (3 * HOUR, "3 h"),
        (47 * HOUR, "47 h"),
        (2 * DAY, "2 d"),
    ],
)
def test_a_duration_in_words(duration: int, words: str):
    assert how_long(duration) == words


def test_when_whose_and_where_in_words():
    assert due_words(NEWEST[EWR], NOON) == "30 min over"
    assert due_words(NEWEST[JFK], NOON) == "in 5 h"
    assert due_words(NEWEST[OLD], NOON) == "-"
    assert due_words(trigger(due=None), NOON) == "-"
    assert owner_words(NEWEST[JFK]) == "ops, given to bob"
    assert owner_words(trigger(assignee="ops")) == "ops"
    assert about_words(NEWEST[JFK]) == "origin=JFK"
    assert about_words(trigger(dimensions={}, scope="{}")) == ""
