"""Theil-Sen and Mann-Kendall against their definitions, and against published values."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.mann_kendall import dependence, mann_kendall
from engine.kernels.ordering import median_within
from engine.kernels.theil_sen import theil_sen

OFFSETS = st.sampled_from([0.0, 1e6, 1e9])
values = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=2, max_size=40)


def slope_of(times: list[float], points: list[float]) -> float:
    room = len(points) * (len(points) - 1) // 2
    work = np.array([*times, *points, *[0.0] * room])
    return theil_sen(work, 0, len(points), len(points), 2 * len(points))


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60), st.integers(0, 3))
def test_the_median_is_the_median(points: list[float], first: int):
    work = np.array([7.0] * first + points)
    assert median_within(work, first, len(points)) == pytest.approx(median(points), rel=1e-12)
    assert list(work[:first]) == [7.0] * first
    assert sorted(work[first:]) == sorted(points)


@settings(deadline=None)
@given(values, OFFSETS)
def test_half_of_all_pairs_are_steeper(points: list[float], offset: float):
    points = [point + offset for point in points]
    times = [float(3 * place + place % 2) for place in range(len(points))]
    pairs = combinations(zip(times, points, strict=True), 2)
    expected = median((after[1] - before[1]) / (after[0] - before[0]) for before, after in pairs)
    assert slope_of(times, points) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_the_slope_of_a_line_is_its_own_with_a_quarter_of_it_spoilt():
    points = [2.5 * place for place in range(40)]
    for spoilt in range(0, 40, 4):
        points[spoilt] = 1e9
    assert slope_of([float(place) for place in range(40)], points) == pytest.approx(2.5)


@settings(deadline=None)
@given(values, OFFSETS)
def test_z_follows_its_definition(points: list[float], offset: float):
    points = [point + offset for point in points]
    n = len(points)
    score = sum(math.copysign(1, b - a) if a != b else 0 for a, b in combinations(points, 2))
    ties = [points.count(each) for each in set(points)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    expected = 0.0 if score == 0 else (score - math.copysign(1, score)) / math.sqrt(variance)
    assert mann_kendall(np.array([0.0, *points]), 1, n) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(values)
def test_z_turns_round_with_time_and_is_zero_for_what_is_constant(points: list[float]):
    turned = mann_kendall(np.array(points[::-1]), 0, len(points))
    assert turned == -mann_kendall(np.array(points), 0, len(points))
    assert mann_kendall(np.full(len(points), points[0]), 0, len(points)) == 0.0


def test_independent_points_widen_nothing_and_dependent_ones_as_hamed_and_rao_say():
    assert dependence(28, 0.0, 0.0) == 1.0
    n, r = 20, 0.7
    expected = 1 + 2 / (n * (n - 1) * (n - 2)) * sum((n - k) * (n - k - 1) * (n - k - 2) * r**k for k in range(1, n))
    assert dependence(n, r, r) == pytest.approx(expected)
