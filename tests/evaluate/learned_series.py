"""What tests of conditions that learn from a series share: drawn events, the slow twin, cuts and deaths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st
from naive_stage1 import NaiveSeries
from test_stage1_twin import context, encode, found, kpi, lay_out, order, run

from engine.model.finding import Finding
from engine.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.resolved.rule import Rule

Event = tuple[str, int, float]
STEPS = [("measure", 10), ("measure", 10), ("measure", 9), ("measure", 11), ("measure", -14), ("tick", 45), ("tick", 5)]
AGGREGATIONS = st.sampled_from(["sum", "mean", "max", "last"])
LATENESS = st.sampled_from([0, 8])


def runs_of(levels: Sequence[float], shortest: int, longest: int) -> st.SearchStrategy[list[Any]]:
    """Stretches, each with its level, its steps, and whether it is noisy."""
    steps = st.lists(st.sampled_from(STEPS), min_size=shortest, max_size=longest)
    return st.lists(st.tuples(st.sampled_from(levels), steps, st.booleans()), min_size=2, max_size=6)


def events_of(drawn: list[Any]) -> list[Event]:
    return [
        (kind, move, level + (0.25 if noisy and place % 3 == 1 else 0.0))
        for level, steps, noisy in drawn
        for place, (kind, move) in enumerate(steps)
    ]


def assert_the_twin_says_the_same(events: list[Event], rules: list[Rule], aggregation: str, lateness: int) -> None:
    records = lay_out(events)
    spoken = found(run(encode(records), context(aggregation, lateness * SECOND, rules), cut=7))
    twin = NaiveSeries(kpi(aggregation, lateness * SECOND), rules)
    for offset, (kind, identifier, time, value, revision) in enumerate(records):
        expected = twin.tick(time) if kind == "tick" else twin.measure(identifier, time, value, revision)
        assert order(spoken.get(offset, [])) == order(expected), (offset, kind, time)


def assert_cuts_and_deaths_change_nothing(events: list[Event], rules: list[Rule]) -> None:
    records, around = encode(lay_out(events)), context("mean", 8 * SECOND, rules)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1) == whole
    assert run(records, around, cut=5, restore=True) == whole


def steady(levels: list[tuple[int, float]]) -> list[Event]:
    return [("measure", 10, level + 0.25 * (place % 3 == 1)) for count, level in levels for place in range(count)]


def findings(records: list[Any], rules: list[Rule]) -> list[Finding]:
    said = run(records, context("mean", 0, rules), cut=50)
    return [msgspec.json.decode(each.value, type=Finding) for each in said if b'"type":"finding"' in each.value]
