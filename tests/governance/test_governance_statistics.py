"""The statistics of the governance conditions, by hand and by their slow twins."""

from __future__ import annotations

import math
import random
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_governance import middle, rank_correlation, theil_sen, trend_z

from engine.correlate.governance import statistics
from engine.correlate.governance.always_green import easy_target
from engine.correlate.governance.falling import falling_outcome
from engine.correlate.governance.vanity import unfollowed
from engine.rules.resolved.governance import GreenOverFalling

numbers = st.lists(st.integers(-20, 20).map(float), min_size=4, max_size=30)


@pytest.mark.parametrize(
    ("values", "score", "z"),
    [
        ([1, 2, 3, 4, 5], 10, 9 / math.sqrt(300 / 18)),
        ([5, 4, 3, 2, 1], -10, -9 / math.sqrt(300 / 18)),
        ([1, 1, 1, 1], 0, 0.0),
        # Three pairs of 2s among five: 5 * 4 * 15 less 3 * 2 * 11. Neighbours are not alike.
        ([1, 2, 2, 2, 3], 7, 6 / math.sqrt((300 - 66) / 18)),
    ],
)
def test_mann_kendall_by_hand(values: list[float], score: int, z: float):
    floats = [float(value) for value in values]
    assert statistics.mann_kendall(floats, statistics.theil_sen(floats)) == (score, pytest.approx(z))


def test_neighbours_that_are_alike_count_less():
    # Four up, four down: no slope. Apart from the mean (1) by +-1, products 6 and -1 of 8: r = 5/8.
    values = [2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    slope = statistics.theil_sen(values)
    rest = [value - slope * place for place, value in enumerate(values)]
    mean = sum(rest) / 8
    first = sum((a - mean) * (b - mean) for a, b in pairwise(rest)) / sum((a - mean) ** 2 for a in rest)
    assert statistics.inflation(values, slope) == pytest.approx((1 + max(first, 0)) / (1 - max(first, 0)))
    assert statistics.inflation([1.0, -1.0] * 4, 0.0) == 1.0


@pytest.mark.parametrize(
    ("one", "other", "rho"),
    [
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),  # differences of ranks 1 1 1 1 0: 1 - 6 * 4 / 120
        ([1, 2, 3, 4], [9, 7, 5, 3], -1.0),
        ([1, 1, 2, 2], [1, 2, 3, 4], 2 / math.sqrt(5)),  # ranks 1.5 1.5 3.5 3.5: 4 / sqrt(4 * 5)
        ([1, 1, 1, 1], [1, 2, 3, 4], None),
    ],
)
def test_spearman_by_hand(one: list[float], other: list[float], rho: float | None):
    assert statistics.spearman([float(a) for a in one], [float(a) for a in other]) == (
        None if rho is None else pytest.approx(rho)
    )


@pytest.mark.parametrize(
    ("rho", "pairs", "low", "high"),
    [
        (0.0, 109, -math.tanh(0.1959964), math.tanh(0.1959964)),  # 1.96 * sqrt(1.06 / 106) = 0.196
        (0.5, 56, math.tanh(0.549306 - 0.277181), math.tanh(0.549306 + 0.277181)),
        (0.9, 3, -1.0, 1.0),
        (1.0, 50, 1.0, 1.0),
    ],
)
def test_the_interval_of_rho(rho: float, pairs: int, low: float, high: float):
    assert statistics.rho_interval(rho, pairs) == pytest.approx((low, high), abs=1e-5)


@given(numbers)
def test_slopes_and_trends_are_those_of_the_slow_twin(values: list[float]):
    assert statistics.theil_sen(values) == pytest.approx(theil_sen(values), abs=1e-12)
    slope = theil_sen(values)
    assert statistics.mann_kendall(values, slope)[1] == pytest.approx(trend_z(values, slope), abs=1e-9)
    assert statistics.robust_sigma(values) == pytest.approx(
        1.4826 * middle([abs(value - middle(values)) for value in values])
    )


@given(st.permutations(range(12)), st.permutations(range(12)))
def test_rank_correlation_is_that_of_the_slow_twin(one: list[int], other: list[int]):
    left, right = [float(a) for a in one], [float(b) for b in other]
    rho = statistics.spearman(left, right)
    assert rho is not None
    if abs(rho) < 1 - 1e-9:
        wanted = rank_correlation(left, right)
        assert (rho, statistics.rho_interval(rho, 12)[1]) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("values", "target", "direction", "on"),
    [
        # Median 10, distances 1 1 0 1 1: sigma 1.4826, so 3 sigma are 4.45; the worst window is 9.
        ([9, 9, 10, 11, 11], 4.5, "higher_is_better", True),
        ([9, 9, 10, 11, 11], 4.6, "higher_is_better", None),
        ([9, 9, 10, 11, 11], 6.7, "higher_is_better", None),
        ([9, 9, 10, 11, 11], 6.8, "higher_is_better", False),
        ([9, 9, 10, 11, 11], 15.5, "lower_is_better", True),
        ([9, 9, 10, 11, 11], 11, "lower_is_better", False),
        ([9, 9, 9, 9, 9], 9, "higher_is_better", False),
        ([9, 9, 9, 9, 9], 8, "higher_is_better", True),
    ],
)
def test_an_easy_target_by_hand(values: list[float], target: float, direction: str, on: object):
    assert easy_target([float(value) for value in values], target, direction, 3.0)[0] is on  # type: ignore[arg-type]


FALLING = GreenOverFalling((), 10, 0.9, 3.1, 0.1)


@pytest.mark.parametrize(
    ("outcome", "direction", "met", "on"),
    [
        (range(100, 80, -2), "higher_is_better", [True] * 10, True),  # Z 3.94, and 18 of 91 lost
        (range(100, 80, -2), "lower_is_better", [True] * 10, False),
        (range(80, 100, 2), "lower_is_better", [True] * 10, True),
        (range(100, 80, -2), "higher_is_better", [True] * 9 + [False], True),
        (range(100, 80, -2), "higher_is_better", [True] * 8 + [False] * 2, False),
        (range(100, 90, -1), "higher_is_better", [True] * 10, None),  # 9 of 95.5 lost: more than half of what counts
        (range(300, 290, -1), "higher_is_better", [True] * 10, False),
        (range(100, 80, -2), "higher_is_better", [], False),
    ],
)
def test_a_green_board_over_a_falling_outcome_by_hand(outcome: range, direction: str, met: list[bool], on: object):
    found = falling_outcome([float(value) for value in outcome], direction, met, FALLING)  # type: ignore[arg-type]
    assert found[0] is on


def test_nothing_is_said_of_what_does_not_move():
    flat, moving = [1.0] * 30, [float(n % 7) for n in range(30)]
    assert unfollowed(flat, moving, 1, 2, 0.4) is None
    assert unfollowed(moving, flat, 1, 2, 0.4) is None


def test_what_follows_with_a_lag_follows_and_in_the_good_direction_only():
    chance = random.Random(7)
    leading = list(accumulate(chance.gauss(0, 1) for _ in range(100)))
    outcome = [0.0, 0.0, *leading[:-2]]
    for good in (1, -1):
        found = unfollowed(leading, outcome, good, 3, 0.4)
        assert found is not None
        assert (found[0] is False) == (good == 1)
        assert found[1].lags[2].rho == pytest.approx(good, abs=0.01)
