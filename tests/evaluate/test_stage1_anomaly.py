"""An anomaly through the whole of stage 1: late measurements, idle closing, restarts and rebaselining."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from learned_series import (
    AGGREGATIONS,
    LATENESS,
    assert_cuts_and_deaths_change_nothing,
    assert_the_twin_says_the_same,
    events_of,
    findings,
    runs_of,
    steady,
)
from test_stage1_twin import START, context, encode, found, lay_out, rule, run

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
    rule("often", anomaly(4.0), at_least=(2, 4), lateness=15 * SECOND),
    rule("waits", anomaly(4.0), at_least=(2, 6), for_=40 * SECOND, keep_firing_for=30 * SECOND, grace=20 * SECOND),
]
CALM = [rule("odd", anomaly())]
QUIET = [("measure", 10, 5.0 + 0.25 * (place % 5) - 0.375 * (place % 3)) for place in range(30)]


@settings(max_examples=60, deadline=None)
@given(runs_of([1.5, 5.0, 5.0, 8.0], 2, 10), AGGREGATIONS, LATENESS)
def test_stage_1_says_of_anomalies_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    assert_the_twin_says_the_same(QUIET + events_of(drawn), RULES, aggregation, lateness)


@settings(max_examples=30, deadline=None)
@given(runs_of([1.5, 5.0, 5.0, 8.0], 2, 10))
def test_neither_cuts_nor_deaths_change_what_is_said_of_anomalies(drawn: list[Any]):
    assert_cuts_and_deaths_change_nothing(QUIET + events_of(drawn), RULES)


def test_a_late_measurement_takes_an_anomaly_back():
    drawn = [*steady([(40, 5.0), (1, 50.0), (2, 5.0)]), ("tick", 5, 0.0), ("tick", 60, 0.0)]
    late = [("measure", -20, -40.0)]
    spoken = found(run(encode(lay_out([*drawn, *late])), context("mean", 0, RULES), cut=50))
    said = [(each.transition, each.status) for by in spoken.values() for each in by if each.rule == "odd"]
    assert said[0] == ("firing", "new")
    assert ("firing", "withdrawn") in said


def test_the_evidence_says_what_was_usual_when_it_began_and_what_the_score_rests_on():
    [odd] = findings(encode(lay_out(steady([(60, 5.0), (1, 8.0), (2, 5.0)]))), CALM)
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
    after = encode([("measure", f"late-{n}", START + (410 + 10 * n) * SECOND, 50.0, 0) for n in range(8)])
    assert findings([*encode(before), *after], CALM)
    assert not findings([*encode(before), again, *after], CALM)
