"""The conflict arithmetic against a slow twin that keeps every single measurement."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import T0, day, parts

from engine.correlate.judge import BaselinePoint, aggregate, judge_side, ratio, stride, usual_of
from engine.kernels.sketches import hash_of, key_of
from engine.model.records import Parts, WindowBounds
from engine.model.sketch import Buckets, error_of
from engine.model.time import DAY, HOUR, format_time
from engine.rules.resolved.condition import Judge

TWO_HOURS = [WindowBounds(format_time(T0 + n * HOUR), format_time(T0 + (n + 1) * HOUR), n) for n in range(2)]
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
series = st.lists(st.lists(numbers, min_size=1, max_size=5), min_size=1, max_size=6)


def parts_of(values: list[float], number: int) -> Parts:
    return Parts(
        len(values),
        math.fsum(values),
        min(values),
        max(values),
        sum(value != 0 for value in values),
        values[-1],
        format_time(T0 + number * HOUR),
        squares=statistics.pvariance(values) * len(values),
        buckets=buckets_of(values),
        smallest=tuple(sorted(f"{hash_of(value):016x}" for value in set(values))),
    )


def buckets_of(values: list[float]) -> Buckets:
    keys = sorted({key_of(value, 0) for value in values})
    return Buckets(0, tuple(keys), tuple(sum(key_of(value, 0) == key for value in values) for key in keys))


@settings(max_examples=200, deadline=None)
@given(series, st.randoms())
def test_merged_parts_give_the_value_over_all_measurements_in_any_order(values: Any, random: Any):
    shares = [parts_of(each, number) for number, each in enumerate(values)]
    shuffled = random.sample(shares, len(shares))
    everything = [value for each in values for value in each]
    exact = float(sum(map(Fraction, everything)))
    expected = {
        "count": len(everything),
        "min": min(everything),
        "max": max(everything),
        "last": values[-1][-1],
        "share": sum(value != 0 for value in everything) / len(everything),
        "distinct": len(set(everything)),
    }
    for aggregation, value in expected.items():
        assert aggregate(shares, aggregation, TWO_HOURS) == value
    near = {
        "sum": exact,
        "mean": exact / len(everything),
        "rate": exact / 7200,
        "deviation": statistics.pstdev(map(Fraction, everything)),
    }
    for aggregation, value in near.items():
        assert aggregate(shares, aggregation, TWO_HOURS) == pytest.approx(value, abs=1e-3)
    ranked = sorted(everything)[math.ceil(len(everything) * 0.9) - 1]
    assert aggregate(shares, "p90", TWO_HOURS) == pytest.approx(ranked, rel=error_of(0), abs=1e-300)
    for aggregation in (*expected, *near, "p90"):
        assert aggregate(shuffled, aggregation, TWO_HOURS) == aggregate(shares, aggregation, TWO_HOURS)


def naive_median(values: Any):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def naive_verdict(value: Any, earlier: Any, judge: Judge, direction: str):
    usual = naive_median(earlier)
    if usual == 0:
        return "unknown"
    effect = (value - usual) / abs(usual)
    good = effect if direction == "higher_is_better" else -effect
    noise = judge.noise * 1.4826 * naive_median([abs(each - usual) for each in earlier]) / abs(usual)
    for verdict, size in (("improved", good), ("worsened", -good)):
        if direction != "in_band" and size > 0 and size >= judge.by and size >= noise:
            return verdict
    return "flat"


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-50, 50),
    st.lists(st.integers(-50, 50), min_size=1, max_size=8),
    st.sampled_from([0, 0.05, 0.5]),
    st.sampled_from([0, 1, 3]),
    st.sampled_from(["higher_is_better", "lower_is_better", "in_band"]),
)
def test_a_side_is_judged_as_the_definition_says(value: Any, earlier: Any, by: float, noise: float, direction: str):
    judge = Judge(by, "windows", len(earlier), noise, hold=False)
    usual = usual_of([BaselinePoint(day(number), float(each)) for number, each in enumerate(earlier)], len(earlier))
    judged = judge_side(float(value), usual, judge, direction, "improved")
    assert judged.verdict == naive_verdict(value, earlier, judge, direction)


@pytest.mark.parametrize(
    ("side", "value", "wanted", "verdict"),
    [
        ("above", 61.0, "worsened", "worsened"),
        ("above", 60.0, "worsened", "flat"),
        ("below", 59.0, "improved", "improved"),
        ("below", 60.0, "improved", "flat"),
        ("below", None, "improved", "unknown"),
    ],
)
def test_a_level_is_strictly_past(side: str, value: Any, wanted: str, verdict: str):
    judge = Judge(0.1, "windows", 3, 0, hold=False, level=60.0, side=side)
    assert judge_side(value, None, judge, "in_band", wanted).verdict == verdict


def test_a_usual_level_needs_every_earlier_value():
    points = [BaselinePoint(day(number), 1.0) for number in range(3)]
    assert usual_of([*points[:2], None], 3) is None
    assert usual_of(points, 3).level == 1.0


@pytest.mark.parametrize(
    ("reference", "step", "expected"), [("windows", DAY, 4), ("days", HOUR, 24), ("days", DAY, 1), ("weekdays", DAY, 7)]
)
def test_references_are_whole_numbers_of_windows(reference: str, step: int, expected: Any):
    assert stride(reference, 4, step) == expected


def test_there_is_no_ratio_without_a_denominator():
    assert ratio(3.0, 2.0) == 1.5
    assert [ratio(3.0, 0.0), ratio(3.0, None), ratio(None, 1.0), ratio(1e308, 1e-300)] == [None] * 4


def test_an_empty_window_has_no_mean_but_a_count():
    empty = [Parts(0, 0.0, math.inf, -math.inf, 0, 0.0, day(0))]
    assert [aggregate(empty, kind, TWO_HOURS) for kind in ("mean", "share", "min", "max", "last")] == [None] * 5
    assert aggregate([*empty, parts(2.0)], "count", TWO_HOURS) == 1
