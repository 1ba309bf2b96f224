"""A backlog: governance says of many windows that come at one barrier what it says of them week by week."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from governed_world import HOUR, Driven, shares, week
from hypothesis import given, settings
from hypothesis import strategies as st
from test_governance_restated import KPIS, LENGTH, RULES, drawn, standing

from engine.correlate.governance.watch import Watch

if TYPE_CHECKING:
    from engine.model.judgement import Judgement
    from engine.model.records import JoinRecord


def weekly(name: str, series: dict[str, list[float]]) -> list[Judgement]:
    return played(name, [_of(series, [number]) for number in range(LENGTH)])


def in_backlogs(name: str, series: dict[str, list[float]], chance: Random) -> list[Judgement]:
    """So many weeks at a barrier as chance will have it; one shop's all before the other's, or in any order."""
    barriers, first = [], 0
    while first < LENGTH:
        last = min(LENGTH, first + chance.choice([1, 3, 10, 30, LENGTH]))
        records = _of(series, list(range(first, last)))
        records.sort(key=lambda record: record.series)
        if chance.random() < 0.5:
            chance.shuffle(records)
        barriers.append(records)
        first = last
    return played(name, barriers)


def _of(series: dict[str, list[float]], weeks: list[int]) -> list[JoinRecord]:
    return [
        share for kpi, values in series.items() for number in weeks for share in shares(kpi, number, values[number])
    ]


def played(name: str, barriers: list[list[JoinRecord]]) -> list[Judgement]:
    world = Driven(RULES[name])
    told: list[Judgement] = []
    for number, records in enumerate(barriers):
        told += world.watching.advance(world.watch, records, week(number) + HOUR)
        world.watch = msgspec.msgpack.decode(msgspec.msgpack.encode(world.watch), type=Watch)
    return told


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_comes_at_once_is_said_as_if_it_had_come_week_by_week(name: str, seed: int):
    series = drawn(name, Random(seed))
    told = in_backlogs(name, series, Random(seed + 1))
    assert standing(told) == standing(weekly(name, series))
    assert {each.turn for each in told} <= {"began", "ended"}


@pytest.mark.parametrize("name", RULES)
def test_such_weeks_begin_and_end_something(name: str):
    assert set(KPIS[name]) == set(drawn(name, Random(1)))
    assert {each.turn for seed in range(9) for each in weekly(name, drawn(name, Random(seed)))} == {"began", "ended"}
