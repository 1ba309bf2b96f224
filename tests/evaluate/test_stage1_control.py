"""A control chart through the whole of stage 1: late measurements, idle closing, restarts and rebaselining."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_stage1 import NaiveSeries
from test_stage1_trend import runs
from test_stage1_twin import START, context, encode, found, kpi, lay_out, order, rule, run

from engine.model.finding import Finding
from engine.model.records import Rebaseline
from engine.model.time import SECOND, parse_own_time
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.rules.run_rules import RUN_RULES
from engine.wire.control import encode_control

ALL = tuple(name for name in RUN_RULES if name not in ("nelson_1", "nelson_5", "nelson_6"))
RULES = [
    rule("runs", ControlChart(RunRules(ALL), None, 5.0, 1.0, "moving_range", 25), lateness=15 * SECOND),
    rule("learned", ControlChart(RunRules(ALL[:4]), None, None, None, "moving_range", 5), for_=20 * SECOND),
    rule("lower", ControlChart(Ewma(0.3, 2.0, varying=False), "down", None, None, "deviation", 4)),
    rule("sums", ControlChart(Cusum(0.5, 3.0, 1.5), None, 5.0, 1.0, "moving_range", 25), keep_firing_for=30 * SECOND),
]
CALM = [rule("runs", ControlChart(RunRules(("western_electric_4",)), None, None, None, "moving_range", 8))]


def events_of(drawn: list[Any]) -> list[tuple[str, int, float]]:
    return [
        (kind, move, level + (0.25 if noisy and place % 3 == 1 else 0.0))
        for level, steps, noisy in drawn
        for place, (kind, move) in enumerate(steps)
    ]


@settings(max_examples=60, deadline=None)
@given(runs, st.sampled_from(["sum", "mean", "max", "last"]), st.sampled_from([0, 8]))
def test_stage_1_says_of_control_charts_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    records = lay_out(events_of(drawn))
    around = context(aggregation, lateness * SECOND, RULES)
    spoken = found(run(encode(records), around, cut=7))
    twin = NaiveSeries(kpi(aggregation, lateness * SECOND), RULES)
    for offset, (kind, identifier, time, value) in enumerate(records):
        expected = twin.tick(time) if kind == "tick" else twin.measure(identifier, time, value)
        assert order(spoken.get(offset, [])) == order(expected), (offset, kind, time)


@settings(max_examples=30, deadline=None)
@given(runs)
def test_neither_cuts_nor_deaths_change_what_is_said_of_control_charts(drawn: list[Any]):
    records = encode(lay_out(events_of(drawn)))
    around = context("mean", 8 * SECOND, RULES)
    whole = run(records, around, cut=10_000)
    assert run(records, around, cut=1) == whole
    assert run(records, around, cut=5, restore=True) == whole


def noisy(levels: list[tuple[int, float]]) -> list[tuple[str, int, float]]:
    return [("measure", 10, level + (-1) ** place) for count, level in levels for place in range(count)]


def findings(records: list[Any]) -> list[Finding]:
    said = run(records, context("mean", 0, CALM), cut=50)
    return [msgspec.json.decode(each.value, type=Finding) for each in said if b'"type":"finding"' in each.value]


def test_the_evidence_names_the_run_rule_and_the_points_of_the_run():
    fired, over = findings(encode(lay_out(noisy([(20, 50.0), (10, 52.0), (5, 50.0)]))))
    chart = fired.evidence.control
    assert chart
    assert (chart.chart, chart.rules, chart.direction) == ("shewhart", ("western_electric_4",), "up")
    assert (chart.centre, chart.sigma, chart.learned, chart.judged) == (50.0, 2 / 1.128, 8, 20)
    assert [each.value for each in chart.points] == [53.0, 51.0] * 4
    assert chart.onset == chart.points[0].start
    assert parse_own_time(str(chart.onset)) == START + 210 * SECOND
    assert fired.evidence.statistic == chart.points[-1].statistic == pytest.approx(1.128 / 2)
    assert {"condition", "point", "verdict", "control"} == set(fired.evidence.digests)
    assert over.transition == "resolved"
    assert over.evidence.control
    assert over.evidence.control.rules == ()


def test_other_findings_say_nothing_of_control_charts():
    said = run(encode(lay_out(noisy([(3, 8.0)]))), context("mean", 0), cut=50)
    assert any(b'"rule":"above"' in each.value and b'"control"' not in each.value for each in said)


def test_after_a_rebaseline_it_learns_anew():
    steps = noisy([(20, 50.0), (10, 52.0)])
    records = encode(lay_out(steps))
    assert findings(records)
    records.insert(20, encode_control(Rebaseline("runs", "k{}")))
    assert not findings(records)
