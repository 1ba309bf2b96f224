"""The compiled trend_break says what its slow twin says, window by window, whatever the series is."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from drawn_series import segments_of, series
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import layout
from engine.kernels.trend_break import trend_break
from engine.kernels.trend_layout import LEVEL_SHAPE, ONSET, SHAPE, SIZE
from engine.model.time import DAY, HOUR, MINUTE
from engine.rules.lay_trend import lay_trend
from engine.rules.resolved.condition import TrendBreak
from engine.rules.resolved.timing import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate"))
from naive_trend import NaiveTrend

PLAIN = TrendBreak(10.0, 4.0, None, 0.0, relative=False, learn=None)


class Kernel:
    """One instance, fed like the twin."""

    def __init__(self, condition: TrendBreak, window: Window) -> None:
        row = np.zeros((), layout.RULE)
        lay_trend(row, condition, window, 0)
        self.rule = row.reshape(1)[0]
        self.history = np.full(int(row["width"]), np.nan)
        self.work = np.zeros(int(row["scratch"]) + 1)

    def judge(self, index: int, value: float) -> tuple[Any, ...] | None:
        known, breach, statistic, limit, usual, _ = trend_break(self.history, 0, self.rule, index, value, self.work)
        if not known:
            return None
        shape = "level" if self.history[SHAPE] == LEVEL_SHAPE else "slope"
        return breach, statistic, limit, usual, shape, self.history[ONSET], self.history[SIZE]


conditions = st.builds(
    TrendBreak,
    level_limit=st.sampled_from([5.0, 10.0]),
    slope_limit=st.sampled_from([2.0, 4.0, None]),
    direction=st.sampled_from([None, None, "up", "down"]),
    at_least=st.sampled_from([0.0, 0.0, 4.0, 0.1]),
    relative=st.booleans(),
    learn=st.sampled_from([4, 10, 30, None]),
)
windows = st.sampled_from(
    [Window(DAY, DAY, "Europe/Berlin"), Window(DAY, DAY), Window(30 * DAY, 30 * DAY), Window(6 * HOUR, 6 * HOUR)]
)


@settings(max_examples=120, deadline=None)
@given(
    segments_of(60),
    conditions,
    windows,
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1e6, 1e9]),
    st.sampled_from([0.0, 0.05]),
)
def test_the_kernel_says_what_its_twin_says(
    drawn: Any, condition: TrendBreak, window: Window, seed: int, offset: float, gaps: float
):
    kernel, twin = Kernel(condition, window), NaiveTrend(condition, window.step, zone=window.zone is not None)
    for index, value in series(drawn, seed, offset, gaps):
        found, expected = kernel.judge(index, value), twin.judge(index, value)
        assert (found is None) == (expected is None)
        if found is None or expected is None:
            continue
        assert found[0] == expected.breach, index
        assert not math.isnan(found[3])
        assert found[3] == pytest.approx(expected.usual, rel=1e-12, abs=1e-12)
        if found[0]:
            assert found[1:3] == pytest.approx((expected.statistic, expected.limit), rel=1e-9)
            assert (found[4], found[5]) == (expected.shape, expected.onset)
            assert found[6] == pytest.approx(expected.size, rel=1e-9)


def test_two_years_of_days_with_a_week_in_them():
    chance, made = Random(4), []
    for day in range(730):
        level = 100 + (-20 if day % 7 > 4 else 0) + (15 if 400 <= day < 500 else 0) + 0.4 * max(0, day - 560)
        made.append((20_000 + day, level + chance.gauss(0, 3)))
    kernel, twin = Kernel(PLAIN, Window(DAY, DAY)), NaiveTrend(PLAIN, DAY)
    breaches = []
    for index, value in made:
        found, expected = kernel.judge(index, value), twin.judge(index, value)
        assert (found and found[0]) == (expected and expected.breach)
        if found and found[0]:
            breaches.append(index - 20_000)
            assert found[1] == pytest.approx(expected.statistic, rel=1e-9)
    assert 400 < breaches[0] < 412
    assert any(500 < day < 512 for day in breaches)


@pytest.mark.parametrize("seed", range(3))
def test_hours_with_a_week_in_them(seed: int):
    chance, made = Random(seed), []
    condition = TrendBreak(10.0, 3.0, None, 0.0, relative=False, learn=None)
    for hour in range(24 * 7 * 9):
        level = 100 + 20 * math.sin(hour / 24 * 2 * math.pi) - 15 * (hour // 24 % 7 > 4)
        level += 20 * (1_000 <= hour < 1_100) + 0.02 * max(0, hour - 1_200)
        made.append((480_000 + hour, level + chance.gauss(0, 4)))
    kernel, twin = Kernel(condition, Window(HOUR, HOUR)), NaiveTrend(condition, HOUR)
    for index, value in made:
        found, expected = kernel.judge(index, value), twin.judge(index, value)
        assert (found and found[0]) == (expected and expected.breach), index
    assert twin.seasonal


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=30, max_size=80),
    st.sampled_from([4, 24, None]),
)
def test_no_number_that_comes_makes_it_forget_how_to_count(values: list[float], learn: int | None):
    condition = TrendBreak(7.0, 3.0, None, 0.0, relative=False, learn=learn)
    kernel = Kernel(condition, Window(30 * DAY, 30 * DAY))
    for index, value in enumerate(values):
        found = kernel.judge(index, value)
        if found is not None:
            assert all(math.isfinite(each) for each in found[1:4])
    for index in range(len(values), len(values) + 40):
        found = kernel.judge(index, 1.0)
    assert found is not None
    assert math.isfinite(found[1])


@pytest.mark.parametrize("level", [0.0, 1.0, -3e9, 1e-12])
def test_what_is_constant_never_breaks_and_a_step_in_it_soon_does(level: float):
    kernel = Kernel(PLAIN, Window(MINUTE, MINUTE))
    verdicts = [kernel.judge(index, level) for index in range(3_000)]
    assert not any(verdict and verdict[0] for verdict in verdicts)
    after = [kernel.judge(3_000 + place, level + 1.0 + abs(level)) for place in range(12)]
    assert any(verdict and verdict[0] for verdict in after)


def test_a_break_is_raised_located_and_becomes_the_usual_level():
    chance, kernel = Random(1), Kernel(PLAIN, Window(DAY, DAY))
    verdicts = [kernel.judge(day, (50 if day < 120 else 62) + chance.gauss(0, 2)) for day in range(200)]
    broken = [day for day, verdict in enumerate(verdicts) if verdict and verdict[0]]
    assert broken == list(range(broken[0], broken[0] + 24))
    assert 120 < broken[0] <= 126
    first = verdicts[broken[0]]
    assert first is not None
    assert abs(first[5] - 120) <= 1
    assert first[6] == pytest.approx(12, abs=2)
    assert verdicts[199][3] == pytest.approx(62, abs=2)


def test_a_series_that_comes_back_has_not_moved_its_baseline():
    chance, kernel = Random(2), Kernel(PLAIN, Window(DAY, DAY))
    verdicts = [kernel.judge(day, (70 if 100 <= day < 110 else 50) + chance.gauss(0, 2)) for day in range(160)]
    broken = [day for day, verdict in enumerate(verdicts) if verdict and verdict[0]]
    assert 100 < broken[0] < 106
    assert 110 <= broken[-1] < 114
    assert verdicts[159][3] == pytest.approx(50, abs=1)


def test_a_spike_is_no_break():
    chance, kernel = Random(3), Kernel(PLAIN, Window(DAY, DAY))
    verdicts = [kernel.judge(day, (1e6 if day % 40 == 39 else 50) + chance.gauss(0, 2)) for day in range(400)]
    assert not any(verdict and verdict[0] for verdict in verdicts)


def test_a_break_too_small_to_matter_is_none():
    for at_least, raised in ((10.0, True), (20.0, False)):
        condition = TrendBreak(10.0, None, None, at_least, relative=False, learn=None)
        chance, kernel = Random(1), Kernel(condition, Window(DAY, DAY))
        verdicts = [kernel.judge(day, (50 if day < 120 else 65) + chance.gauss(0, 2)) for day in range(200)]
        assert any(verdict and verdict[0] for verdict in verdicts) is raised
