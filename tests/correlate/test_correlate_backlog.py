"""A backlog: whoever sends was cut off for a while, or ticks come seldom. What comes at once is judged as if it had
come in time, by both stages, wherever rules join.
"""

from __future__ import annotations

import random

import msgspec
import pytest
import test_correlate_formulas as formulas
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from late_data import Standing, Told, cut_off, in_order, patchy, standing_of, told_late
from test_correlate_restated import BEGIN, JOINED, REACH, RULES, SERIES

from engine.model.time import HOUR, MINUTE, Micros
from engine.model.topics import DEAD_LETTERS, TRIGGERS
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given as shown
from engine.offline.replay import replay

HOURS = 60
AFTERWARDS = 200 * HOUR
"""What rests on ticks alone, such as that something did not come, waits for those that come a day apart."""


def stands(told: list[Told], every: Micros = HOUR) -> Standing:
    until = BEGIN + HOURS * HOUR + AFTERWARDS
    return standing_of(replay(RULES, told, every=every, partitions=2, begin=BEGIN, until=until).outputs, JOINED)


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 10**9), st.booleans(), st.integers(0, 40), st.integers(12, 40))
def test_alerts_are_those_of_what_comes_in_time(seed: int, late: bool, first: int, length: int):  # noqa: FBT001 (drawn)
    measurements = patchy(random.Random(seed), SERIES, BEGIN, HOURS)
    told = told_late(measurements, random.Random(seed + 1), REACH) if late else in_order(measurements)
    in_time = stands(in_order(measurements))
    since = BEGIN + first * HOUR
    assert stands(cut_off(told, since, since + length * HOUR)) == in_time
    assert stands(told, every=26 * HOUR) == in_time


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late and restated"])
@pytest.mark.parametrize("seed", range(2))
def test_every_word_on_it_is_recomputed_from_its_evidence(seed: int, late: bool):  # noqa: FBT001 (a parameter)
    measurements = patchy(random.Random(seed), SERIES, BEGIN, HOURS)
    told = told_late(measurements, random.Random(seed + 1), REACH) if late else in_order(measurements)
    told = cut_off(told, BEGIN + 10 * HOUR, BEGIN + 45 * HOUR)
    outputs = replay(
        RULES, told, every=HOUR, partitions=2, begin=BEGIN, until=BEGIN + HOURS * HOUR + AFTERWARDS
    ).outputs
    events = [msgspec.json.decode(each.record.value or b"") for each in outputs if each.topic == TRIGGERS]
    assert {event["data"]["rule"] for event in events} >= set(JOINED)
    for event in events:
        explained = explain(shown(event))
        assert explained.failures == (), (event["id"], explained.failures)


@pytest.mark.parametrize("late", [formulas.LATE, ""], ids=["with a grace", "without one"])
@pytest.mark.parametrize("seed", range(3))
def test_a_formula_is_worked_out_for_every_window(seed: int, late: str):
    measurements = sorted(formulas.drawn(random.Random(seed), HOURS), key=lambda each: each.time)
    begin, until = formulas.BEGIN, formulas.BEGIN + HOURS * HOUR + AFTERWARDS
    told = cut_off(in_order(measurements), begin + 10 * HOUR, begin + 50 * HOUR)
    replayed = replay(formulas.rules_of(late=late), told, every=10 * MINUTE, begin=begin, until=until)
    said = [*replayed.findings, *replayed.outputs]
    expected = formulas.naive(measurements)
    assert formulas.worked_out(said) == expected
    assert formulas.alerts(said) == formulas.naive_alerts(expected)
    assert not [each for each in said if each.topic == DEAD_LETTERS]
