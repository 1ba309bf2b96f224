"""Forecasts: against the whole matrices, against the two textbook methods at the ends, and by what came in the end."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from random import Random

import numpy as np
import pytest
from forecast_twin import forecast as slow
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.correlate import forecast as module
from engine.correlate.forecast import forecast, quantile

KINDS = {"line": (0.0, 1.0), "walk": (1.0, 0.0), "both": (1.0, 3.0)}
"""How much a series wanders from window to window, and how much noise it is seen through."""


def drawn(kind: str, seed: str, count: int) -> list[tuple[int, float]]:
    random, (wanders, noise) = Random(f"{kind}-{seed}"), KINDS[kind]
    level, found = 50.0, []
    for at in range(count):
        level += 0.1 + random.gauss(0, wanders)
        found.append((at, level + random.gauss(0, noise)))
    return found


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**9), st.integers(16, 60), st.integers(1, 200), st.booleans())
def test_it_is_what_the_whole_matrices_say(kind: str, seed: int, count: int, ahead: int, gaps: bool):  # noqa: FBT001
    points = drawn(kind, str(seed), count)
    if gaps:
        points = [each for each in points if each[0] in (0, 1) or Random(f"{seed}-{each[0]}").random() < 0.7]
    found = forecast(points, ahead, 0.9)
    if len(points) >= 6:
        assert (found.value, found.low, found.high) == pytest.approx(slow(points, ahead, 0.9), rel=1e-4, abs=1e-4)
    assert found.value == found.level + ahead * found.drift


def only(monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    monkeypatch.setattr(module, "RATIOS", (ratio,))
    monkeypatch.setattr(module, "_PER_FREEDOM", 1)


def test_without_wandering_it_is_the_regression_on_time(monkeypatch: pytest.MonkeyPatch):
    only(monkeypatch, 0.0)
    points = drawn("line", "regression", 40)
    times, values = np.array(points).T
    slope, start = np.polyfit(times, values, 1)
    left = values - (start + slope * times)
    error = sqrt(float(left @ left) / 38)
    goal = 39 + 25
    spread = error * sqrt(1 + 1 / 40 + (goal - times.mean()) ** 2 / float(((times - times.mean()) ** 2).sum()))
    found = forecast(points, 25, 0.9)
    margin = 1.68595 * spread  # Student's t with 38 degrees of freedom
    assert (found.drift, found.value) == pytest.approx((slope, start + slope * goal))
    assert (found.low, found.high) == pytest.approx((found.value - margin, found.value + margin), rel=1e-4)


def test_without_noise_it_is_the_drift_method(monkeypatch: pytest.MonkeyPatch):
    only(monkeypatch, 1.0)
    points = drawn("walk", "drift", 40)
    values = [value for _, value in points]
    drift = (values[-1] - values[0]) / 39
    moves = [after - before - drift for before, after in pairwise(values)]
    spread = sqrt(sum(move * move for move in moves) / 38 * 25 * (1 + 25 / 39))
    found = forecast(points, 25, 0.9)
    assert (found.level, found.drift) == pytest.approx((values[-1], drift))
    assert found.high - found.value == pytest.approx(1.68595 * spread, rel=1e-4)


STUDENT = [
    (0.9, 3, 2.3534),
    (0.9, 6, 1.9432),
    (0.95, 10, 2.2281),
    (0.99, 4, 4.6041),
    (0.99, 20, 2.8453),
    (0.5, 6, 0.7176),
]
"""Two-sided, from the printed tables."""


@pytest.mark.parametrize(("confidence", "free", "expected"), STUDENT)
def test_quantiles_are_those_of_the_tables(confidence: float, free: int, expected: float):
    assert quantile(confidence, free) == pytest.approx(expected, rel=5e-3)


SHAPES = [(30, 30), (60, 30), (60, 120), (120, 60)]
SEEDS, TOLERANCE = 200, 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_intervals_hold_what_they_say_less_a_twentieth(kind: str, confidence: float):
    """Seeds that nothing was tuned on."""
    held = []
    for count, ahead in SHAPES:
        for seed in range(SEEDS):
            points = drawn(kind, f"held-out-{count}-{ahead}-{seed}", count + ahead)
            found = forecast(points[:count], ahead, confidence)
            held.append(found.low <= points[-1][1] <= found.high)
    assert sum(held) / len(held) >= confidence - TOLERANCE


def test_an_interval_about_a_line_is_narrow_enough_to_be_of_use():
    """Not two and a half times that of the regression, at half the series ahead."""
    widths = []
    for seed in range(50):
        found = forecast(drawn("line", f"narrow-{seed}", 60), 30, 0.9)
        widths.append(found.high - found.low)
    regression = 2 * 1.6716 * sqrt(1 + 1 / 60 + (89 - 29.5) ** 2 / (60 * (60**2 - 1) / 12))
    assert regression < sum(widths) / 50 < 2.5 * regression


@pytest.mark.parametrize("drift", [0.0, 0.25, 0.1, -1 / 3])
def test_what_keeps_to_its_line_is_known_to_where_it_goes(drift: float):
    points = [(at, 20 + drift * at) for at in range(30)]
    found = forecast(points, 100, 0.9)
    goal = 20 + drift * 129
    assert found.low <= goal <= found.high
    assert found.high - found.low < 1e-4


def test_nothing_but_zeros_goes_to_zero():
    found = forecast([(at, 0.0) for at in range(30)], 100, 0.9)
    assert (found.value, found.level, found.drift) == (0, 0, 0)
    assert found.high - found.low < 1e-6


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_no_size_of_values_is_too_small_or_too_large(size: float):
    points = drawn("both", "size", 60)
    usual, sized = (forecast([(at, value * by) for at, value in points], 50, 0.9) for by in (1.0, size))
    assert [each / size for each in sized] == pytest.approx(list(usual))


def test_the_same_values_elsewhere_in_time_are_the_same_bits():
    points = drawn("both", "bits", 60)
    moved = [(at + 19_000, value) for at, value in points]
    assert forecast(moved, 50, 0.9) == forecast(points, 50, 0.9)
