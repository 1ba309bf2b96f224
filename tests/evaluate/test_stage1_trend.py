"""A trend break through the whole of stage 1: late measurements, idle closing, restarts and rebaselining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from engine.rules.resolved.condition import TrendBreak
from engine.wire.control import encode_control

if TYPE_CHECKING:
    from engine.model.finding import Finding

RULES = [
    rule("level", TrendBreak(2.0, None, None, 0.0, relative=False, learn=4), lateness=15 * SECOND),
    rule("lower", TrendBreak(3.0, None, "down", 0.1, relative=True, learn=6), for_=20 * SECOND),
    rule("kept", TrendBreak(1.5, 3.0, "up", 0.5, relative=False, learn=5), keep_firing_for=30 * SECOND),
    rule("often", TrendBreak(1.5, None, None, 0.0, relative=False, learn=4), at_least=(3, 5), lateness=15 * SECOND),
    rule(
        "waits",
        TrendBreak(1.5, 3.0, None, 0.0, relative=False, learn=4),
        at_least=(2, 6),
        for_=30 * SECOND,
        keep_firing_for=30 * SECOND,
        warm_up=6,
        grace=20 * SECOND,
    ),
]
CALM = [rule("level", TrendBreak(6.0, None, None, 0.0, relative=False, learn=12))]


@settings(max_examples=60, deadline=None)
@given(runs_of([1.5, 5.0, 8.0], 4, 14), AGGREGATIONS, LATENESS)
def test_stage_1_says_of_trends_what_the_slow_twin_says(drawn: list[Any], aggregation: str, lateness: int):
    assert_the_twin_says_the_same(events_of(drawn), RULES, aggregation, lateness)


@settings(max_examples=30, deadline=None)
@given(runs_of([1.5, 5.0, 8.0], 4, 14))
def test_neither_cuts_nor_deaths_change_what_is_said_of_trends(drawn: list[Any]):
    assert_cuts_and_deaths_change_nothing(events_of(drawn), RULES)


def test_a_late_measurement_takes_a_break_back():
    drawn = [*steady([(12, 5.0), (3, 8.0)]), ("tick", 5, 0.0), ("tick", 60, 0.0)]
    late = [("measure", -1, -6.0), ("measure", 0, -6.0)]
    spoken = found(run(encode(lay_out([*drawn, *late])), context("mean", 0, RULES), cut=50))
    said = [(each.transition, each.status) for by in spoken.values() for each in by if each.rule == "level"]
    assert said[0] == ("firing", "new")
    assert ("firing", "withdrawn") in said or ("firing", "amended") in said


def test_the_evidence_says_when_it_began_how_large_it_is_and_what_it_rests_on():
    broken, usual = findings(encode(lay_out(steady([(40, 5.0), (20, 8.0)]))), CALM)
    trend = broken.evidence.trend
    assert trend is not None
    assert (trend.shape, trend.direction, trend.state) == ("level", "up", "broken")
    assert trend.alarm == broken.event_time
    assert parse_own_time(trend.onset) == START + 410 * SECOND
    assert trend.size == pytest.approx(3.0, abs=0.25)
    assert trend.after == trend.before + trend.size
    assert {"condition", "point", "verdict", "trend"} == set(broken.evidence.digests)
    assert usual.transition == "resolved"
    assert usual.evidence.statistic is None
    assert usual.evidence.trend is not None
    assert usual.evidence.trend.state == "usual"


def recomputed(finding: Finding) -> float:
    """The CUSUM of the evidence, as its description says."""
    trend, limit = finding.evidence.trend, finding.evidence.limit
    assert trend is not None
    assert limit is not None
    total, before, sign = 0.0, None, 1 if trend.direction == "up" else -1
    for point in trend.points:
        deviation = point.value - point.usual
        fresh = deviation if before is None else deviation - trend.memory * before
        score = sign * min(max(fresh / trend.sigma, -trend.clip), trend.clip) / trend.widening
        rest = 1 - trend.memory
        total = max(0.0, total + score - trend.slack, min((score - trend.slack / rest) / rest, 0.9 * limit))
        before = deviation
    return total


def test_anybody_can_take_the_statistic_from_the_evidence():
    said = findings(encode(lay_out(steady([(40, 5.0), (30, 8.0), (30, 5.0), (30, 2.0)]))), CALM)
    raised = [finding for finding in said if finding.transition == "firing"]
    assert len(raised) > 1
    for finding in raised:
        assert finding.evidence.statistic == pytest.approx(recomputed(finding), rel=1e-12)
        assert finding.evidence.statistic > finding.evidence.limit


def test_after_a_rebaseline_it_learns_anew():
    steps = steady([(40, 5.0), (16, 8.0)])
    records = encode(lay_out(steps))
    assert findings(records, CALM)
    records.insert(40, encode_control(Rebaseline("level", "k{}")))
    assert not findings(records, CALM)
