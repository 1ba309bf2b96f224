"""A control chart through the whole of stage 1: late measurements, idle closing, restarts and rebaselining."""

from __future__ import annotations

from typing import Any

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
)
from test_stage1_twin import START, context, encode, lay_out, rule, run

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
    rule(
        "often",
        ControlChart(RunRules(("western_electric_1", "nelson_3")), None, None, None, "moving_range", 4),
        at_least=(2, 4),
        for_=20 * SECOND,
        lateness=15 * SECOND,
    ),
    rule(
        "average-often",
        ControlChart(Ewma(0.4, 1.5, varying=True), None, None, None, "deviation", 4),
        at_least=(2, 3),
        keep_firing_for=20 * SECOND,
        warm_up=6,
    ),
    rule(
        "sums-often",
        ControlChart(Cusum(0.5, 3.0, 0.0), "up", 5.0, 1.0, "moving_range", 25),
        at_least=(3, 4),
        grace=20 * SECOND,
    ),
]
CALM = [rule("runs", ControlChart(RunRules(("western_electric_4",)), None, None, None, "moving_range", 8))]


@settings(max_examples=60, deadline=None)
@given(runs_of([1.5, 5.0, 8.0], 4, 14), AGGREGATIONS, LATENESS)
def test_stage_1_says_of_control_charts_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    assert_the_twin_says_the_same(events_of(drawn), RULES, aggregation, lateness)


@settings(max_examples=30, deadline=None)
@given(runs_of([1.5, 5.0, 8.0], 4, 14))
def test_neither_cuts_nor_deaths_change_what_is_said_of_control_charts(drawn: list[Any]):
    assert_cuts_and_deaths_change_nothing(events_of(drawn), RULES)


def noisy(levels: list[tuple[int, float]]) -> list[tuple[str, int, float]]:
    return [("measure", 10, level + (-1) ** place) for count, level in levels for place in range(count)]


def test_the_evidence_names_the_run_rule_and_the_points_of_the_run():
    fired, over = findings(encode(lay_out(noisy([(20, 50.0), (10, 52.0), (5, 50.0)]))), CALM)
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
    assert findings(records, CALM)
    records.insert(20, encode_control(Rebaseline("runs", "k{}")))
    assert not findings(records, CALM)
