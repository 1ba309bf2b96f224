"""An anomaly through the whole of stage 1: late measurements, idle closing, restarts and rebaselining."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_stage1 import NaiveSeries
from test_stage1_twin import START, context, encode, found, kpi, lay_out, order, rule, run

from engine.model.finding import Finding
from engine.model.records import Rebaseline
from engine.model.time import SECOND, parse_own_time
from engine.rules.resolved.condition import Anomaly
from engine.wire.control import encode_control


def anomaly(limit: float = 7.0, **changes: Any) -> Anomaly:
    plain = Anomaly(limit, None, "none", 0.0, relative=False, learn=None)
    return msgspec.structs.replace(plain, **changes)


RULES = [
    rule("odd", anomaly(), lateness=15 * SECOND),
    rule("low", anomaly(5.0, direction="down", at_least=0.1, relative=True, learn=30), for_=20 * SECOND),
    rule("kept", anomaly(5.0, direction="up", at_least=0.5), keep_firing_for=30 * SECOND),
]
CALM = [rule("odd", anomaly())]
STEPS = [("measure", 10), ("measure", 10), ("measure", 9), ("measure", 11), ("measure", -14), ("tick", 45), ("tick", 5)]
QUIET = [("measure", 10, 5.0 + 0.25 * (place % 5) - 0.375 * (place % 3)) for place in range(30)]
runs = st.lists(
    st.tuples(
        st.sampled_from([1.5, 5.0, 5.0, 8.0]), st.lists(st.sampled_from(STEPS), min_size=2, max_size=10), st.booleans()
    ),
    min_size=2,
    max_size=6,
)


def events_of(drawn: list[Any]) -> list[tuple[str, int, float]]:
    return QUIET + [
        (kind, move, level + (0.25 if noisy and place % 3 == 1 else 0.0))
        for level, steps, noisy in drawn
        for place, (kind, move) in enumerate(steps)
    ]


@settings(max_examples=60, deadline=None)
@given(runs, st.sampled_from(["sum", "mean", "max", "last"]), st.sampled_from([0, 8]))
def test_stage_1_says_of_anomalies_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    records = lay_out(events_of(drawn))
    around = context(aggregation, lateness * SECOND, RULES)
    spoken = found(run(encode(records), around, cut=7))
    twin = NaiveSeries(kpi(aggregation, lateness * SECOND), RULES)
    for offset, (kind, identifier, time, value) in enumerate(records):
        expected = twin.tick(time) if kind == "tick" else twin.measure(identifier, time, value)
        assert order(spoken.get(offset, [])) == order(expected), (offset, kind, time)


@settings(max_examples=30, deadline=None)
@given(runs)
def test_neither_cuts_nor_deaths_change_what_is_said_of_anomalies(drawn: list[Any]):
    records = encode(lay_out(events_of(drawn)))
    around = context("mean", 8 * SECOND, RULES)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1) == whole
    assert run(records, around, cut=5, restore=True) == whole


def steady(levels: list[tuple[int, float]]) -> list[tuple[str, int, float]]:
    return [("measure", 10, level + 0.25 * (place % 3 == 1)) for count, level in levels for place in range(count)]


def findings(records: list[Any]) -> list[Finding]:
    said = run(records, context("mean", 0, CALM), cut=50)
    return [msgspec.json.decode(each.value, type=Finding) for each in said if b'"type":"finding"' in each.value]


def test_a_late_measurement_takes_an_anomaly_back():
    drawn = [*steady([(40, 5.0), (1, 50.0), (2, 5.0)]), ("tick", 5, 0.0), ("tick", 60, 0.0)]
    late = [("measure", -20, -40.0)]
    spoken = found(run(encode(lay_out([*drawn, *late])), context("mean", 0, RULES), cut=50))
    said = [(each.transition, each.status) for by in spoken.values() for each in by if each.rule == "odd"]
    assert said[0] == ("firing", "new")
    assert ("firing", "withdrawn") in said


def test_the_evidence_says_what_was_usual_when_it_began_and_what_the_score_rests_on():
    [odd] = findings(encode(lay_out(steady([(60, 5.0), (1, 8.0), (2, 5.0)]))))
    anomaly = odd.evidence.anomaly
    assert anomaly is not None
    assert (anomaly.state, anomaly.seasonal) == ("unusual", False)
    assert parse_own_time(anomaly.began) == START + 610 * SECOND
    newest = anomaly.points[-1]
    assert newest.value == odd.value == 8.0
    assert newest.low < newest.usual < newest.high < 6.0
    assert newest.usual == odd.evidence.baseline == pytest.approx(5.0, abs=0.25)
    assert odd.evidence.statistic is not None
    assert odd.evidence.statistic > odd.evidence.limit == 7.0
    assert {"condition", "point", "verdict", "anomaly"} == set(odd.evidence.digests)


def test_a_rebaseline_forgets_what_was_usual():
    before = lay_out(steady([(40, 5.0)]))
    again = encode_control(Rebaseline("odd", "k{}"))
    after = encode([("measure", f"late-{n}", START + (410 + 10 * n) * SECOND, 50.0) for n in range(8)])
    assert findings([*encode(before), *after])
    assert not findings([*encode(before), again, *after])
