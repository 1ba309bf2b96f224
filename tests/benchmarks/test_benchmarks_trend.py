"""What detect_trend_breaks.py promises, at a size that the gate can bear; and its metrics at their worked values."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from detect_trend_breaks import SOON, change_points, outcome, raised
from trend_labels import PROFILES, Annotated, Labelled, covering, f1, scored
from trend_series import KINDS

SERIES = 200


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_a_quiet_year_is_quiet_and_a_shift_of_three_sigma_is_found_within_twelve_hours(kind: int):
    outcomes = [outcome(kind, seed) for seed in range(5_000, 5_000 + SERIES)]
    assert np.median([each.false for each in outcomes]) <= 1
    assert np.percentile([each.false for each in outcomes], 95) <= 4
    assert mean(each.delay <= SOON for each in outcomes) >= 0.9
    assert mean(each.off <= 2 for each in outcomes) > 0.8


@pytest.mark.parametrize(
    ("annotations", "predicted", "expected"),
    [
        ([[10, 20], [11, 20], [10], [0, 5]], [10, 20], 1.0),
        ([[], [10], [50]], [10], 0.9090909090909091),
    ],
)
def test_f1_at_its_worked_values(annotations: list[list[int]], predicted: list[int], expected: float):
    assert f1(dict(zip("abcd", annotations, strict=False)), predicted) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("annotations", "predicted", "expected"),
    [
        ([[10, 20], [10], [0, 5]], [10, 20], 0.7962962962962963),
        ([[], [10], [40]], [10], 0.7954144620811286),
    ],
)
def test_covering_at_its_worked_values(annotations: list[list[int]], predicted: list[int], expected: float):
    assert covering(dict(zip("abc", annotations, strict=False)), predicted, 45) == pytest.approx(expected, rel=1e-14)


def test_a_prediction_is_used_once():
    assert f1({"a": [10, 12]}, [11]) == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))


def labelled(windows: list[tuple[int, int]]) -> dict[str, Labelled]:
    return {"one": Labelled(np.arange(1_000) * 300.0, np.zeros(1_000), windows)}


@pytest.mark.parametrize("profile", PROFILES)
def test_never_alarming_scores_nothing_and_alarms_at_the_first_rows_a_hundred(profile: str):
    series = labelled([(300, 349), (700, 799)])
    assert scored(series, {"one": []}, PROFILES[profile]) == 0
    assert scored(series, {"one": [300, 700]}, PROFILES[profile]) == pytest.approx(100)


def test_a_false_alarm_costs_less_soon_after_a_window_and_nothing_in_probation():
    series, weights = labelled([(300, 349)]), PROFILES["standard"]
    alone, soon, late, early, before = (
        scored(series, {"one": rows}, weights) for rows in ([300], [300, 352], [300, 900], [20, 300], [200, 300])
    )
    assert early == alone == pytest.approx(100)
    assert alone > soon > late
    assert alone - late == pytest.approx(100 * 0.11 / 2)
    assert late == before


def test_an_alarm_late_in_a_window_counts_less_and_only_the_first_counts():
    series, weights = labelled([(300, 349)]), PROFILES["standard"]
    first, late = scored(series, {"one": [310]}, weights), scored(series, {"one": [345]}, weights)
    assert 100 > first > late > 0
    assert scored(series, {"one": [310, 345]}, weights) == first


def test_labelled_series_are_walked_as_windows_of_their_own_width():
    rng = np.random.default_rng(1)
    values = rng.normal(10, 1, 2_000)
    values[1_500:] += 5
    seconds = np.sort(np.r_[np.arange(1_999) * 300.0, 300.5])
    rows = raised(Labelled(seconds, values, [(1_500, 1_600)]))
    assert rows
    assert 1_500 <= rows[0] < 1_510


def test_the_row_of_never_alarming_is_always_there():
    step = np.r_[np.zeros(60), np.ones(60)] + np.random.default_rng(2).normal(0, 0.1, 120)
    lines = list(change_points({"step": Annotated(step, {"a": [60], "b": [61]})}))
    assert lines[2].startswith("| trend_break, mean of 1 | 1.000 |")
    assert "never alarming" in lines[3]
