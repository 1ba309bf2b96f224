"""The compiled control chart says what its slow twin says, window by window, and what the publications print."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import control_layout, layout
from engine.kernels.control_chart import control_chart, statistic_at
from engine.kernels.control_layout import HITS, JUDGED, LEARNED, SIDE, SIGMA, kept, place_of
from engine.rules.lay_control import lay_control
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.rules.run_rules import RUN_RULES, rules_among, rules_named

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate"))
from naive_control import Found, NaiveControl, mean_and_scatter
from test_kernels_control_tables import LUCAS, MONTGOMERY, MONTGOMERY_UPPER, NIST, NIST_EWMA, RUNGER, RUNGER_UPPER

IN_SIGMAS = {"direction": None, "centre": 0.0, "sigma": 1.0, "sigma_from": "moving_range", "learn": 25}


class Kernel:
    """One instance, fed like the twin."""

    def __init__(self, condition: ControlChart) -> None:
        row = np.zeros((), layout.RULE)
        lay_control(row, condition)
        self.condition, self.rule = condition, row.reshape(1).view(np.recarray)[0]
        self.history = np.full(int(row["width"]) // 2, np.nan)
        self.work = np.zeros(int(row["scratch"]) + 1)

    def judge(self, index: int, value: float) -> Found | None:
        known, breach, statistic, limit, centre, _ = control_chart(
            self.history, 0, self.rule, index, value, self.work
        )  # fmt: skip
        if not known:
            return None
        side, rules = int(self.history[SIDE]), []
        if isinstance(self.condition.chart, RunRules):
            rules = list(rules_among(self.condition.chart.rules, int(self.history[HITS])))
        limit = None if np.isnan(limit) else float(limit)
        sigma, learned, judged = self.history[SIGMA], int(self.history[LEARNED]), int(self.history[JUDGED])
        return Found(bool(breach), statistic, limit, centre, sigma, learned, judged, side, rules, self.points(side))

    def alarm(self, index: int, value: float) -> bool:
        return bool(control_chart(self.history, 0, self.rule, index, value, self.work)[1])

    def points(self, side: int) -> list[tuple[int, float, float]]:
        places = [place_of(self.history, 0, number) for number in reversed(range(kept(self.history, 0)))]
        statistic = statistic_at(self.rule, float(side))
        return [(int(self.history[at]), self.history[at + 1], self.history[at + statistic]) for at in places]


def walk(condition: ControlChart, values: list[float]) -> list[Found | None]:
    kernel = Kernel(condition)
    return [kernel.judge(place, value) for place, value in enumerate(values, 1)]


def alarms(condition: ControlChart, values: list[float]) -> list[int]:
    return [place for place, found in enumerate(walk(condition, values), 1) if found and found.breach]


def declared(chart: RunRules | Ewma | Cusum, **changes: Any) -> ControlChart:
    return ControlChart(chart, **{**IN_SIGMAS, **changes})


# Western Electric, Statistical Quality Control Handbook, 1956, pages 25 to 28; Nelson, Journal of Quality Technology
# 16(4), 1984, figure 1: points in sigmas, and where the rule holds.
RUNS = {
    "western_electric_1": ([0, 3.2, -3.5, 2.9], [2, 3]),
    "western_electric_2": ([0, 2.5, 1, 2.6, 0], [4]),
    "western_electric_3": ([0, 1.2, 1.3, 0.2, 1.4, 1.5], [6]),
    "western_electric_4": ([-1] * 8 + [1], [8]),
    "nelson_1": ([0, 3.2, -3.5, 2.9], [2, 3]),
    "nelson_2": ([0.5] * 10 + [-0.5] * 10, [9, 10, 19, 20]),
    "nelson_3": ([1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1], [6, 7, 13, 14]),
    "nelson_4": ([1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8], [14, 15]),
    "nelson_5": ([0, 2.5, 1, 2.6, 0], [4]),
    "nelson_6": ([0, 1.2, 1.3, 0.2, 1.4, 1.5], [6]),
    "nelson_7": ([0.3] * 16 + [1.2], [15, 16]),
    "nelson_8": ([1.5, -1.5, 1.5, 1.5, -1.5, -1.5, 1.5, -1.5, 1.5, 0], [8, 9]),
}


@pytest.mark.parametrize("name", RUN_RULES)
def test_a_run_rule_holds_where_its_authors_say(name: str):
    values, expected = RUNS[name]
    assert alarms(declared(RunRules((name,))), [float(value) for value in values]) == expected


def test_the_ewma_chart_of_nist_with_its_limits_has_no_point_outside():
    chart = declared(Ewma(0.3, 3.0, varying=False), centre=50.0, sigma=2.0539)
    found = walk(chart, NIST)
    assert [round(each.statistic, 2) for each in found] == NIST_EWMA
    # the lower one, 47.41159, is printed cut off
    assert {f"{each.limit:.6f}"[:7] for each in found} == {"52.5884", "47.4115"}
    assert not any(each.breach for each in found)


def test_varying_limits_of_an_ewma_begin_at_lambda_times_those_of_a_shewhart_chart():
    [first, *_, last] = walk(declared(Ewma(0.3, 3.0, varying=True)), [1.0] * 60)
    assert first.limit == pytest.approx(3.0 * 0.3)
    assert last.limit == pytest.approx(3.0 * (0.3 / 1.7) ** 0.5)


def test_the_tabular_cusum_of_montgomery_alarms_at_29_and_began_after_22():
    chart = declared(Cusum(0.5, 5.0, 0.0), centre=10.0, sigma=1.0, direction="up")
    kernel = Kernel(chart)
    found = [kernel.judge(place, value) for place, value in enumerate(MONTGOMERY, 1)]
    assert [round(each.statistic, 2) for each in found] == MONTGOMERY_UPPER
    assert [place for place, each in enumerate(found, 1) if each.breach] == [29, 30]
    assert kernel.history[control_layout.UP_SINCE] == 23


def test_both_sums_of_montgomery_and_runger():
    # target 99, and in the KPI's unit slack 1 and limit 10: half a sigma and five of a sigma of 2
    up = walk(declared(Cusum(0.5, 5.0, 0.0), centre=99.0, sigma=2.0, direction="up"), RUNGER)
    assert [round(2 * each.statistic, 1) for each in up] == RUNGER_UPPER
    lower = [0, 3.2, 2.9, 2.5, 0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 1.0, 2.3, 0, 0, 0.8, 0]
    down = walk(declared(Cusum(0.5, 5.0, 0.0), centre=99.0, sigma=2.0, direction="down"), RUNGER)
    assert [round(2 * each.statistic, 1) for each in down] == lower


@pytest.mark.parametrize(
    ("head_start", "sums", "alarm"),
    [(0.0, [0.3, 1.7, 2.6, 4.1, 4.7, 4.9, 7.0], 7), (2.5, [2.8, 4.2, 5.1, 6.6, 7.2, 7.4, 9.5], 3)],
)
def test_a_head_start_is_the_fast_initial_response_of_lucas_and_crosier(
    head_start: float, sums: list[float], alarm: int
):
    found = walk(declared(Cusum(0.5, 5.0, head_start), direction="up"), LUCAS)
    assert [round(each.statistic, 1) for each in found] == sums
    assert 1 + [each.breach for each in found].index(True) == alarm


def test_a_sum_is_held_at_twice_its_limit_so_that_it_comes_down_again():
    assert alarms(declared(Cusum(0.5, 5.0, 0.0)), [4.0] * 50 + [0.0] * 30) == list(range(2, 60))


levels = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.0, -2.5, 3.0, 4.0, 0.3]), st.booleans()),
    min_size=1,
    max_size=12,
)
charts = st.one_of(
    st.lists(st.sampled_from(["western_electric", "nelson", *RUN_RULES]), min_size=1, max_size=3).map(
        lambda names: RunRules(rules_named(tuple(names), sided=False))
    ),
    st.builds(Ewma, st.sampled_from([0.1, 0.3, 1.0]), st.sampled_from([0.5, 2.0, 3.0]), st.booleans()),
    st.builds(Cusum, st.sampled_from([0.0, 0.5]), st.sampled_from([1.0, 5.0]), st.sampled_from([0.0, 0.5])),
)
conditions = st.builds(
    ControlChart,
    charts,
    st.sampled_from([None, None, "up", "down"]),
    st.sampled_from([None, 0.0, 5.0]),
    st.sampled_from([None, 1.0, 0.25]),
    st.sampled_from(["moving_range", "deviation"]),
    st.sampled_from([8, 10, 25]),
)


def series(drawn: Any, offset: float) -> list[float]:
    """Levels, some of them with a little up and down."""
    return [
        offset + level + (0.25 * (-1) ** place if noisy else 0.0)
        for count, level, noisy in drawn
        for place in range(count)
    ]


@settings(max_examples=400, deadline=None)
@given(levels, conditions, st.sampled_from([0.0, 5.0, 1e9]), st.integers(1, 3))
def test_the_kernel_says_what_the_slow_twin_says(drawn: Any, condition: ControlChart, offset: float, step: int):
    kernel, twin = Kernel(condition), NaiveControl(condition)
    for place, value in enumerate(series(drawn, offset)):
        found, expected = kernel.judge(place * step, value), twin.judge(place * step, value)
        if found is None or expected is None:
            assert found is expected
            continue
        assert found.points[-len(expected.points) :] == expected.points
        found.points, found.onset = expected.points, expected.onset
        assert found == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e140, 1e140), min_size=1, max_size=60), conditions)
def test_whatever_comes_no_number_overflows(values: list[float], condition: ControlChart):
    for found in walk(condition, values):
        assert found is None or np.isfinite([found.statistic, found.centre, found.sigma]).all()


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=8, max_size=30), st.sampled_from([0.0, 1e6]))
def test_what_is_learned_is_the_mean_and_the_standard_deviation(values: list[float], offset: float):
    values = [value + offset for value in values]
    mean, deviation = mean_and_scatter(values, "deviation")
    assert mean == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-9)
    assert deviation == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-6)


def test_limits_once_learned_stay_whatever_comes():
    noisy = [50.0, 52.0] * 4
    found = walk(declared(RunRules(("nelson_1",)), centre=None, sigma=None, learn=8), noisy + [70.0] * 100)
    assert {(each.centre, each.sigma, each.learned) for each in found[8:]} == {(51.0, 2.0 / 1.128, 8)}
    assert found[:8] == [None] * 8


def test_a_series_without_scatter_is_learned_until_it_has_some():
    chart = declared(RunRules(("nelson_1",)), centre=None, sigma=None, learn=8)
    found = walk(chart, [0.1 + 0.2] * 50 + [5.0, 0.3])
    assert found[:51] == [None] * 51
    assert found[51].learned == 51


# Champ and Woodall, Technometrics 29, 1987, table 1 (run rules); Montgomery, Introduction to Statistical Quality
# Control, tables 9.3 (CUSUM) and 9.11 (EWMA): average run lengths at a shift in sigmas, of charts on both sides.
RUN_LENGTHS = [
    (RunRules(rules_named(("western_electric",), sided=False)), 0.0, 91.75),
    (RunRules(("nelson_1",)), 1.0, 43.89),
    (Cusum(0.5, 4.0, 0.0), 0.0, 168.0),
    (Cusum(0.5, 5.0, 0.0), 1.0, 10.4),
    (Ewma(0.1, 2.814, varying=False), 1.0, 10.3),
]


@pytest.mark.parametrize(("chart", "shift", "expected"), RUN_LENGTHS)
def test_the_mean_run_length_is_the_published_one(chart: Any, shift: float, expected: float):
    rng, lengths = np.random.default_rng(5), []
    for _ in range(1500):
        kernel, place, alarmed = Kernel(declared(chart)), 0, False
        while not alarmed:
            place += 1
            alarmed = kernel.alarm(place, shift + rng.standard_normal())
        lengths.append(place)
    error = np.std(lengths) / len(lengths) ** 0.5
    assert abs(np.mean(lengths) - expected) < 4 * error
