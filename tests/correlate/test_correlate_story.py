"""Composites by event time, against a slow twin over the episodes of their members; and what each of them says."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from composite_twin import FOREVER, Episode, composite_twin
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import rule_set
from story_world import CONDITIONS, RULES, T0, Member, drawn_episodes, rules_of, standing, told_by, unfolding

from engine.correlate.story import Story, Unfolding
from engine.model.limits import Limits
from engine.model.time import HOUR
from engine.rules.resolved.condition import Composite, MissingData

if TYPE_CHECKING:
    from engine.model.records import Signal

EVER = T0 + 1_000 * HOUR
SERIES = ("x", "y")


def in_hours(condition: Composite) -> Composite:
    return msgspec.structs.replace(condition, within=condition.within // HOUR)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9))
def test_whatever_comes_late_or_is_taken_back_it_ends_where_the_twin_does(name: str, seed: int):
    random, judge, story, heard = Random(seed), unfolding(CONDITIONS[name]), Story("told", "{}"), []
    members = [Member(rule, series, random) for rule in RULES for series in SERIES]
    truth = {member: drawn_episodes(random, member.rule, member.series) for member in members}
    for barrier in range(6):
        signals = []
        for member in random.sample(members, len(members)):
            if random.random() < 0.4:
                guess = drawn_episodes(random, member.rule, member.series) if random.random() < 0.5 else truth[member]
                signals += member.tells(guess)
        heard += judge.advance(story, signals, T0 + barrier * HOUR)
    heard += judge.advance(story, [each for member in members for each in member.tells(truth[member])], T0 + 9 * HOUR)
    heard += judge.advance(story, [], EVER)
    expected = composite_twin(in_hours(CONDITIONS[name]), [each for some in truth.values() for each in some])
    assert told_by(story) == standing(heard) == expected
    assert story.wake is None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9), st.sampled_from([0, 2 * HOUR, 1_000 * HOUR]))
def test_what_is_final_is_remembered_in_what_is_carried(name: str, seed: int, size: int):
    """In order of event time, nothing is told twice, and what is kept does not grow with what is past."""
    random, judge, story, heard = Random(seed), unfolding(CONDITIONS[name], size), Story("told", "{}"), []
    truth = [each for rule in RULES for series in SERIES for each in drawn_episodes(random, rule, series, most=8)]
    signals = sorted(
        (each for rule in RULES for series in SERIES for each in _told(truth, rule, series)),
        key=lambda signal: (signal.event_time, signal.rule, signal.series),
    )
    for hour in range(24):
        now = [each for each in signals if each.event_time == _time(hour)]
        heard += judge.advance(story, now, T0 + hour * HOUR)
        story = msgspec.msgpack.decode(msgspec.msgpack.encode(story), type=Story)
        assert size or all(edge.time >= T0 + hour * HOUR for edge in story.edges.values()) or not now
    heard += judge.advance(story, [], EVER)
    assert standing(heard) == composite_twin(in_hours(CONDITIONS[name]), truth)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(CONDITIONS)), st.integers(0, 10**9))
def test_past_the_limit_the_oldest_becomes_final_early(name: str, seed: int):
    """In order of event time this shows in nothing; what is kept is one moment's more than the limit at most."""
    random, story, heard = Random(seed), Story("told", "{}"), []
    judge = unfolding(CONDITIONS[name], limits=Limits(moments_per_composite_max=3))
    truth = [each for rule in RULES for each in drawn_episodes(random, rule, "x", most=8)]
    signals = [each for rule in RULES for each in _told(truth, rule, "x")]
    for hour in range(24):
        heard += judge.advance(story, [each for each in signals if each.event_time == _time(hour)], T0 + hour * HOUR)
        oldest = min((edge.time for edge in story.edges.values()), default=0)
        assert sum(edge.time > oldest for edge in story.edges.values()) <= 3
    heard += judge.advance(story, [], EVER)
    assert standing(heard) == composite_twin(in_hours(CONDITIONS[name]), truth)


def _told(truth: list[Episode], rule: str, series: str) -> list[Signal]:
    own = [each for each in truth if (each.rule, each.series) == (rule, series)]
    return Member(rule, series, Random(0)).tells(own)


def _time(hour: int) -> str:
    return f"2024-01-01T{hour:02d}:00:00Z"


@pytest.mark.parametrize("settled", [False, True])
def test_silence_ends_at_the_barrier_at_which_something_comes_of_before_the_tick_that_found_it(*, settled: bool):
    """Silent by the tick of hour 5; at hour 8 a measurement of hour 4 comes."""
    condition = Composite("any", ("a", "b"), ("c",))
    rules = rules_of(condition)
    silence = msgspec.structs.replace(rules.rule_by_id["a"], condition=MissingData(HOUR))
    rules = rule_set(rules.rule_by_id["told"], silence, rules.rule_by_id["b"])
    limits = Limits(moments_per_composite_max=1) if settled else Limits()
    judge = Unfolding(rules.rule_by_id["told"], condition, {}, rules, limits)
    story, [begun, ended] = Story("told", "{}"), Member("a", "x", Random(0)).tells([Episode("a", "x", 4, 5)])
    begun = msgspec.structs.replace(begun, event_time=_time(5))
    ended = msgspec.structs.replace(ended, event_time=_time(4))
    member = Member("b", "x", Random(0))
    heard = judge.advance(story, [*member.tells([Episode("b", "x", 1, 2)]), begun], T0 + 5 * HOUR)
    assert standing(heard) == [(1, 2), (5, FOREVER)]
    heard += judge.advance(story, member.tells([Episode("b", "x", 1, 2), Episode("b", "x", 6, 7)]), T0 + 7 * HOUR)
    assert ("a|x" in story.carried.firing) == settled
    heard += judge.advance(story, [ended], T0 + 8 * HOUR)
    assert standing(heard) == [(1, 2), (5, 8)]


def test_what_silence_ends_on_the_very_point_that_it_began_by_has_been_on_until_the_tick():
    """`no_data: ok`: it fires by the window of hour 5, and nothing comes after that; a correction is no silence."""
    condition = Composite("any", ("a", "b"), ("c",))
    rules = rules_of(condition)
    rules = rule_set(*(msgspec.structs.replace(each, ends_after=3 * HOUR) for each in rules.rules))
    judge = Unfolding(rules.rule_by_id["told"], condition, {}, rules, Limits())
    story, member = Story("told", "{}"), Member("a", "x", Random(0))
    heard = judge.advance(story, member.tells([Episode("a", "x", 1, 3), Episode("a", "x", 5, 5)]), T0 + 9 * HOUR)
    assert standing(heard) == [(1, 3), (5, 9)]
    heard += judge.advance(story, member.tells([Episode("a", "x", 1, 2), Episode("a", "x", 5, 5)]), T0 + 10 * HOUR)
    assert standing(heard) == [(1, 2), (5, 9)]


SPANS = {
    "held back while c fires, and so in two parts": (
        "all-not",
        [Episode("a", "x", 1, 9), Episode("b", "x", 2, 9), Episode("c", "x", 4, 6)],
        [(2, 4), (6, 9)],
    ),
    "two of three, whichever they are": (
        "two-of-three",
        [Episode("a", "x", 1, 5), Episode("c", "y", 3, 8), Episode("b", "x", 7)],
        [(3, 5), (7, 8)],
    ),
    "one rule on two series is one rule": (
        "two-of-three",
        [Episode("a", "x", 1, 5), Episode("a", "y", 2, 5)],
        [],
    ),
    "in order, with others in between, and on as long as the last": (
        "sequence",
        [Episode("c", "x", 1, 2), Episode("b", "x", 2, 3), Episode("a", "y", 4, 5), Episode("b", "y", 7, 9)],
        [(7, 9)],
    ),
    "an hour too slow": (
        "sequence",
        [Episode("c", "x", 1, 2), Episode("a", "y", 4, 5), Episode("b", "y", 8, 9)],
        [],
    ),
    "at one time is not in order": (
        "pair",
        [Episode("a", "x", 3, 5), Episode("b", "x", 3, 5)],
        [],
    ),
    "nothing came within the time, and then it did": (
        "absent",
        [Episode("a", "x", 1, 2), Episode("b", "x", 9)],
        [(4, 9)],
    ),
    "what comes at the last moment, or at the first, comes": (
        "absent",
        [Episode("a", "x", 1, 2), Episode("b", "x", 4, 5), Episode("a", "x", 8, 9), Episode("b", "x", 8, 9)],
        [],
    ),
    "what fired before it does not answer": (
        "absent",
        [Episode("b", "x", 0), Episode("a", "x", 1, 2)],
        [(4, FOREVER)],
    ),
    "each beginning after the time is waited for anew": (
        "absent",
        [Episode("a", "x", 1, 2), Episode("a", "x", 10, 11), Episode("b", "x", 12)],
        [(4, 10)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPANS)
def test_spans_by_hand(case: str):
    name, episodes, expected = SPANS[case]
    assert composite_twin(in_hours(CONDITIONS[name]), episodes) == expected
    judge, story = unfolding(CONDITIONS[name]), Story("told", "{}")
    signals = [
        each
        for rule in RULES
        for series in SERIES
        for each in Member(rule, series, Random(0)).tells(
            [each for each in episodes if (each.rule, each.series) == (rule, series)]
        )
    ]
    heard = judge.advance(story, signals, T0) + judge.advance(story, [], EVER)
    assert standing(heard) == expected
