"""Published tables of control charts, to the printed digits, through the kernels that trend_break is made of."""

from __future__ import annotations

import pytest

from engine.kernels.cusum import cusum, jump
from engine.kernels.ewma import ewma

# Montgomery, Introduction to Statistical Quality Control, table 9.1: mean 10, sigma 1, slack 0.5, limit 5.
MONTGOMERY = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
    10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
]  # fmt: skip
MONTGOMERY_UPPER = [
    0, 0, 0, 1.16, 2.82, 2.50, 0.04, 1.00, 0, 0, 0, 0.97, 0.98, 0, 0, 0, 0.12, 0, 0, 0.34, 0.74, 0, 1.79, 2.79,
    2.89, 3.47, 3.35, 4.47, 5.28, 5.30,
]  # fmt: skip
# Montgomery & Runger, Applied Statistics and Probability for Engineers, table 16-8: target 99, slack 1, limit 10.
RUNGER = [
    102.0, 94.8, 98.3, 98.4, 102.0, 98.5, 99.0, 97.7, 100.0, 98.1, 101.3, 98.7, 101.1, 98.4, 97.0, 96.7, 100.3,
    101.4, 97.2, 101.0,
]  # fmt: skip
RUNGER_UPPER = [2, 0, 0, 0, 2, 0.5, 0, 0, 0, 0, 1.3, 0, 1.1, 0, 0, 0, 0.3, 1.7, 0, 1.0]
RUNGER_LOWER = [0, 3.2, 2.9, 2.5, 0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 1.0, 2.3, 0, 0, 0.8, 0]
# Lucas & Crosier 1982: limit 5, slack 0.5, head start 2.5.
LUCAS = [0.8, 1.9, 1.4, 2.0, 1.1, 0.7, 2.6]
# NIST/SEMATECH e-Handbook 6.3.2.4: lambda 0.3, target 50.
NIST = [
    52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4,
    53.6, 52.1,
]  # fmt: skip
NIST_EWMA = [
    50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38,
    49.92, 50.73, 51.23, 51.94, 51.99,
]  # fmt: skip


def sums(scores: list[float], slack: float, begin: float = 0.0) -> list[float]:
    totals = [begin]
    for score in scores:
        totals.append(cusum(totals[-1], score, slack))
    return totals[1:]


def test_the_tabular_cusum_of_montgomery_alarms_at_29_and_began_after_22():
    upper = sums([x - 10 for x in MONTGOMERY], 0.5)
    assert [round(total, 2) for total in upper] == MONTGOMERY_UPPER
    alarm = next(place for place, total in enumerate(upper) if total > 5)
    onset = max(place for place in range(alarm) if upper[place] == 0) + 1
    assert (alarm + 1, onset) == (29, 22)


def test_both_sums_of_montgomery_and_runger():
    assert [round(total, 1) for total in sums([x - 99 for x in RUNGER], 1.0)] == RUNGER_UPPER
    assert [round(total, 1) for total in sums([99 - x for x in RUNGER], 1.0)] == RUNGER_LOWER


@pytest.mark.parametrize(
    ("begin", "totals", "alarm"),
    [(0.0, [0.3, 1.7, 2.6, 4.1, 4.7, 4.9, 7.0], 7), (2.5, [2.8, 4.2, 5.1, 6.6, 7.2, 7.4, 9.5], 3)],
)
def test_a_head_start_is_a_sum_that_begins_above_zero(begin: float, totals: list[float], alarm: int):
    found = sums(LUCAS, 0.5, begin)
    assert [round(total, 1) for total in found] == totals
    assert 1 + next(place for place, total in enumerate(found) if total > 5) == alarm


def test_the_moving_average_of_nist():
    mean, found = 50.0, []
    for value in NIST:
        mean = ewma(mean, value, 0.3)
        found.append(round(mean, 2))
    assert found == NIST_EWMA


@pytest.mark.parametrize("score", [-3.0, 0.0, 0.5, 2.0])
def test_without_memory_a_fresh_shift_is_worth_what_the_sum_takes(score: float):
    assert max(jump(score, 0.5, 0.0, 9.0), 0.0) == cusum(0.0, score, 0.5)


def test_a_fresh_shift_is_weighed_by_the_likelihood_ratio_of_a_step():
    # a step of 1 in units that leave 0.3 of it in every later score: log likelihood ratios in units of the later weight
    memory, shift = 0.7, 1.0 / 0.3
    for score in (-1.0, 0.0, 2.0, 4.2):
        ratio = score * shift - shift * shift / 2
        assert jump(score, 0.5, memory, 99.0) == pytest.approx(ratio)
    assert jump(4.2, 0.5, memory, 9.0) == pytest.approx(8.4444, abs=1e-4)
    assert jump(9.0, 0.5, memory, 9.0) == 9.0
