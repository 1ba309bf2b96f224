"""The limit, by hand: median 10, absolute deviations 0, 1, 1, 2, 2, ... of which the median is 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.time import DAY, HOUR
from engine.propose.limit import Usual, limit_of, rounded

CALM = dict(enumerate([10.0, 9.0, 11.0, 12.0, 8.0, 10.0, 11.0, 9.0, 10.0]))
FOUR_DEVIATIONS = 4 * 1.4826  # of 1


def test_four_robust_deviations_above_the_median_rounded_away_from_it():
    limit = limit_of([CALM], "lower_is_better", HOUR)
    assert 15.9 < 10 + FOUR_DEVIATIONS < 16.0
    assert (limit.low, limit.high, limit.recover_at, limit.usual) == (None, 16.0, 13.0, None)
    assert limit.why == "9 windows, median 10, robust deviation 1.48: 4 deviations away"


def test_an_incident_in_the_sample_does_not_move_it():
    assert limit_of([CALM | {9: 500.0}], "lower_is_better", HOUR).high == 16.0


def test_below_for_what_should_be_high_and_both_for_a_band():
    assert limit_of([CALM], "higher_is_better", HOUR)[:3] == (4.0, None, 7.0)
    assert limit_of([CALM], "in_band", HOUR)[:3] == (4.0, 16.0, None)


def test_a_limit_below_zero_of_what_is_never_negative_is_just_below_the_lowest():
    wide = dict(enumerate([10.0, 4.0, 16.0, 3.0, 17.0, 10.0, 5.0, 15.0]))
    assert limit_of([wide], "higher_is_better", HOUR).low == 2.7


def test_what_hardly_differs_has_half_as_much_again():
    limit = limit_of([dict.fromkeys(range(9), 20.0)], "lower_is_better", HOUR)
    assert limit.high == 30.0
    assert "they hardly differ" in limit.why


def test_where_many_windows_are_far_out_the_limit_goes_beyond_them():
    jumpy = {place: 100.0 + place if place % 8 == 0 else 10.0 + place % 3 for place in range(80)}
    limit = limit_of([jumpy], "lower_is_better", HOUR)
    assert limit.high is not None
    assert sum(value > limit.high for value in jumpy.values()) <= 4
    assert "past 95 of 100 windows" in limit.why


@pytest.mark.parametrize(
    ("every", "count", "usual"),
    [
        (HOUR, 100, Usual("windows", 8)),
        (HOUR, 300, Usual("days", 7)),
        (DAY, 30, Usual("windows", 7)),
        (DAY, 60, Usual("weekdays", 4)),
    ],
)
def test_series_of_different_levels_are_each_held_against_themselves(every: int, count: int, usual: Usual):
    small = {place: 10.0 + place % 2 for place in range(count)}
    large = {place: 1000.0 + 100 * (place % 2) for place in range(count)}
    limit = limit_of([small, large], "in_band", every)
    assert limit.usual == usual
    assert limit.low is not None
    assert limit.high is not None
    assert 0.1 <= limit.low <= 0.9
    assert limit.high >= 0.1


@pytest.mark.parametrize("low", [-10.0, 0.1])
def test_around_zero_a_relative_change_tells_nothing(low: float):
    held = [{place: level * (low, 1.0, 3.0)[place % 3] for place in range(40)} for level in (10.0, 1000.0)]
    limit = limit_of(held, "lower_is_better", HOUR)
    assert limit.usual is None
    assert "the series differ in level" in limit.why


def test_a_share_is_rounded_to_the_next_five_percent():
    held = [{place: level * (1 + 0.03 * (-1) ** place) for place in range(40)} for level in (10.0, 1000.0)]
    limit = limit_of(held, "lower_is_better", HOUR)
    assert limit.high is not None
    assert limit.high * 20 == pytest.approx(round(limit.high * 20))


@given(st.floats(-1e12, 1e12, allow_nan=False), st.booleans())
def test_rounding_keeps_two_digits_on_the_side_that_is_asked_for(value: float, up: bool):  # noqa: FBT001 (drawn)
    found = rounded(value, up=up)
    assert found >= value if up else found <= value
    assert abs(found - value) <= abs(value) * 0.1 + 1e-322
    assert float(f"{found:.1e}") == found
