"""The compiled anomaly says what its slow twin says, window by window, whatever the series is."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawn_series import segments_of, series
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import layout
from engine.kernels.anomaly import anomaly
from engine.kernels.anomaly_layout import BEGAN, SEASONAL, SETTLED
from engine.model.time import DAY, HOUR, MINUTE
from engine.rules.lay_anomaly import lay_anomaly
from engine.rules.resolved.condition import Anomaly
from engine.rules.resolved.timing import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate"))
from naive_anomaly import NaiveAnomaly

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN = Anomaly(7.0, None, None, 0.0, relative=False, learn=None)
HOURLY, DAILY, FIVE_MINUTES = Window(HOUR, HOUR), Window(DAY, DAY, "Europe/Berlin"), Window(5 * MINUTE, 5 * MINUTE)


class Kernel:
    """One instance, fed like the twin."""

    def __init__(self, condition: Anomaly, window: Window, for_: int = 0) -> None:
        row = np.zeros((), layout.RULE)
        lay_anomaly(row, condition, window, for_)
        self.rule = row.reshape(1)[0]
        self.history = np.full(int(row["width"]), np.nan)
        self.work = np.zeros(int(row["scratch"]) + 1)

    def judge(self, index: int, value: float) -> tuple[Any, ...] | None:
        known, *said = anomaly(self.history, 0, self.rule, index, value, self.work)
        return (*said, self.history[BEGAN], self.history[SETTLED], self.history[SEASONAL]) if known else None

    def breaches(self, values: Iterable[float]) -> list[int]:
        found = []
        for index, value in enumerate(values):
            said = self.judge(index, value)
            if said is not None and said[0]:
                found.append(index)
        return found


def incidents(rows: list[int]) -> list[int]:
    """The first window of each."""
    return [row for row in rows if row - 1 not in rows]


conditions = st.builds(
    Anomaly,
    limit=st.sampled_from([3.0, 7.0]),
    direction=st.sampled_from([None, None, "up", "down"]),
    season=st.sampled_from([None, None, "day", "week", "none"]),
    at_least=st.sampled_from([0.0, 0.0, 4.0, 0.1]),
    relative=st.booleans(),
    learn=st.sampled_from([4, 10, 30, None]),
)
windows = st.sampled_from(
    [DAILY, Window(DAY, DAY), Window(30 * DAY, 30 * DAY), Window(6 * HOUR, 6 * HOUR), Window(15 * MINUTE, 15 * MINUTE)]
)


@settings(max_examples=120, deadline=None)
@given(
    segments_of(80), conditions, windows, st.integers(0, 999), st.sampled_from([0.0, 1e6]), st.sampled_from([0.0, 0.1])
)
def test_the_kernel_says_what_the_twin_says(
    drawn: list[Any], condition: Anomaly, window: Window, seed: int, offset: float, gaps: float
):
    kernel, twin = Kernel(condition, window), NaiveAnomaly(condition, window)
    for index, value in series(drawn, seed, offset, gaps):
        expected, found = twin.judge(index, value), kernel.judge(index, value)
        assert (expected is None) == (found is None)
        if expected is None or found is None:
            continue
        breach, score, limit, usual, outside, began, settled, seasonal = found
        assert limit == condition.limit
        assert usual == pytest.approx(expected.usual, rel=1e-9, abs=1e-9)
        assert seasonal == expected.seasonal
        assert outside == pytest.approx(expected.outside, rel=1e-6, abs=1e-9)
        if not near(expected.score, condition.limit):
            assert score == pytest.approx(expected.score, rel=1e-4, abs=1e-6)
            assert breach == expected.breach, index
        if breach:
            assert (began, settled) == (expected.began, expected.settled)


def near(score: float, limit: float) -> bool:
    return math.isclose(score, limit, rel_tol=1e-6)


def noise(length: int, seed: int = 0) -> list[float]:
    chance = Random(seed)
    return [100.0 + round(chance.gauss(0, 5), 3) for _ in range(length)]


@pytest.mark.parametrize("season", ["day", "week", "none", None])
def test_a_spike_at_the_same_hour_of_every_day_fires_on_each_of_the_first_days(season: Any):
    """Until the season and the tail have learned that it belongs here, which takes more days than these."""
    values = noise(24 * 40)
    spikes = [24 * day + 12 for day in range(30, 34)]
    for spike in spikes:
        values[spike] += 80.0
    kernel = Kernel(Anomaly(7.0, None, season, 0.0, relative=False, learn=None), HOURLY)
    assert incidents(kernel.breaches(values)) == spikes


def test_the_judged_window_is_not_in_its_own_baseline():
    values = noise(24 * 30)
    plain, spiked = Kernel(PLAIN, HOURLY), Kernel(PLAIN, HOURLY)
    for index, value in enumerate(values):
        plain.judge(index, value)
        spiked.judge(index, value)
    one, other = plain.judge(len(values), 100.0), spiked.judge(len(values), 1e6)
    assert one is not None
    assert other is not None
    assert one[3] == other[3]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.floats(50.0, 1e9))
def test_however_far_out_a_spike_was_the_next_one_is_held_against_the_same_band(seed: int, size: float):
    values = noise(24 * 30, seed)
    one, other = Kernel(PLAIN, HOURLY), Kernel(PLAIN, HOURLY)
    one.breaches([*values, 150.0, *noise(48, seed + 1)])
    other.breaches([*values, 100.0 + size, *noise(48, seed + 1)])
    assert one.judge(24 * 32 + 1, 110.0)[3] == pytest.approx(other.judge(24 * 32 + 1, 110.0)[3], abs=0.5)  # type: ignore[index]
    assert other.judge(24 * 32 + 2, 160.0)[1] > 7.0  # type: ignore[index]


def test_a_new_level_is_the_usual_one_after_a_day():
    values = [*noise(24 * 30), *(value + 60.0 for value in noise(24 * 10, 1))]
    rows = Kernel(PLAIN, HOURLY).breaches(values)
    assert incidents(rows) == [24 * 30]
    assert 24 <= len(rows) <= 24 + 12
    assert Kernel(PLAIN, HOURLY).breaches([*values, 100.0])[-1] == len(values)


def test_much_more_scatter_is_the_usual_scatter_in_the_end():
    values = [*noise(24 * 30), *(100.0 + 20 * (value - 100.0) for value in noise(24 * 30, 1))]
    rows = Kernel(PLAIN, HOURLY).breaches(values)
    assert rows[0] < 24 * 31
    assert len([row for row in rows if row >= 24 * 40]) < 24


@pytest.mark.parametrize(("direction", "found"), [("up", [720]), ("down", [760]), (None, [720, 760])])
def test_only_the_direction_that_is_asked_for_counts(direction: Any, found: list[int]):
    values = noise(24 * 35)
    values[720] += 80.0
    values[760] -= 80.0
    condition = Anomaly(7.0, direction, None, 0.0, relative=False, learn=None)
    assert incidents(Kernel(condition, HOURLY).breaches(values)) == found


@pytest.mark.parametrize(
    ("at_least", "relative", "found"), [(79.0, False, [720]), (99.0, False, []), (0.7, True, [720]), (0.95, True, [])]
)
def test_changes_below_a_size_are_passed_over(at_least: float, found: list[int], *, relative: bool):
    values = noise(24 * 35)
    values[720] = 190.0
    condition = Anomaly(7.0, "up", "none", at_least, relative=relative, learn=None)
    assert incidents(Kernel(condition, HOURLY).breaches(values)) == found


def test_a_daily_season_is_found_and_what_it_brings_is_not_unusual():
    values = [value + 200.0 * (9 <= index % 24 < 17) for index, value in enumerate(noise(24 * 60))]
    values[24 * 50 + 3] += 100.0  # at night what is usual by day
    rows = Kernel(PLAIN, HOURLY).breaches(values)
    assert incidents(rows) == [24 * 50 + 3]
    assert incidents(Kernel(Anomaly(7.0, None, "day", 0.0, relative=False, learn=None), HOURLY).breaches(values)) == [
        24 * 50 + 3
    ]


def test_days_that_look_like_no_other_weekday_are_found_among_weekdays():
    values = [value - 60.0 * (index % 7 > 4) for index, value in enumerate(noise(200, 3))]
    values[7 * 20 + 2] -= 60.0  # a Wednesday like a Sunday
    assert incidents(Kernel(PLAIN, DAILY).breaches(values)) == [7 * 20 + 2]


def test_nothing_is_said_of_two_seasons_or_of_as_many_windows_as_the_rule_says():
    for condition, first in ((PLAIN, 336), (Anomaly(7.0, None, None, 0.0, relative=False, learn=30), 30)):
        kernel = Kernel(condition, HOURLY)
        known = [index for index, value in enumerate(noise(400)) if kernel.judge(index, value) is not None]
        assert known[0] == first


def test_series_that_never_move_and_wild_ones_break_nothing():
    kernel = Kernel(PLAIN, HOURLY)
    assert kernel.breaches([5.0] * 1_000) == []
    assert kernel.judge(1_000, 6.0)[0]  # type: ignore[index]
    wild = [1e300, -1e300, 0.0, 5e-324] * 300
    assert all(
        math.isfinite(said[3]) for index, value in enumerate(wild) if (said := kernel.judge(2_000 + index, value))
    )


@pytest.mark.parametrize(("window", "kilobytes"), [(DAILY, 2), (HOURLY, 7), (FIVE_MINUTES, 3)])
def test_what_is_kept_of_a_series_is_bounded(window: Window, kilobytes: float):
    assert Kernel(PLAIN, window).history.nbytes <= kilobytes * 1_024
