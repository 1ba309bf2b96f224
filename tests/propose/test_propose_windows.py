from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from engine.model.time import DAY, HOUR, MINUTE, SECOND, from_datetime
from engine.propose.windows import Point, aggregation_of, lateness_of, rhythm_of, window_values
from engine.rules import calendar

BEGIN = from_datetime(datetime(2025, 3, 3, tzinfo=UTC))


def every(step: int, count: int, without: tuple[int, ...] = ()) -> list[Point]:
    return [(BEGIN + place * step, 1.0) for place in range(count) if place not in without]


@pytest.mark.parametrize(
    ("step", "window", "cadence"),
    [
        (SECOND, SECOND, SECOND),
        (20 * SECOND, 30 * SECOND, 20 * SECOND),
        (MINUTE, MINUTE, MINUTE),
        (10 * MINUTE, 15 * MINUTE, 10 * MINUTE),
        (HOUR, HOUR, HOUR),
        (DAY, DAY, DAY),
        (7 * DAY, DAY, 7 * DAY),
    ],
)
def test_regular_values_have_their_own_window(step: int, window: int, cadence: int):
    found = rhythm_of({("a",): every(step, 40), ("b",): every(step, 40, without=(7, 8, 20))})
    assert (found.every, found.cadence) == (window, cadence)


def test_days_of_23_and_25_hours_are_regular():
    times = [BEGIN + day * DAY - (HOUR if day > 27 else 0) for day in range(60)]
    assert rhythm_of({(): [(time, 1.0) for time in times]})[:2] == (DAY, DAY)


@pytest.mark.parametrize(
    ("a_day", "window"),
    [(20_000, MINUTE), (2_000, 5 * MINUTE), (600, 15 * MINUTE), (150, HOUR), (30, 6 * HOUR), (6, DAY)],
)
def test_irregular_events_have_the_shortest_window_that_holds_enough(a_day: int, window: int):
    rng = Random(a_day)
    times = sorted(BEGIN + rng.randrange(4 * DAY) for _ in range(4 * a_day))
    found = rhythm_of({(): [(time, 1.0) for time in times]})
    assert (found.every, found.cadence) == (window, None)


def test_many_values_at_the_same_hours_have_the_window_of_those_hours():
    points = [(time, value) for time, value in every(HOUR, 40, without=(7, 8, 20)) for _ in range(9)]
    assert rhythm_of({(): points})[:2] == (HOUR, HOUR)
    assert rhythm_of({(): points}, counted=True).every == HOUR


def test_what_is_counted_has_no_window_of_one():
    assert rhythm_of({(): every(MINUTE, 600)}, counted=True).every == 5 * MINUTE


def test_windows_are_valued_like_the_engine_does():
    points = [(BEGIN, 1.0), (BEGIN + 59 * MINUTE, 5.0), (BEGIN + 2 * HOUR, 7.0)]
    first = BEGIN // HOUR
    assert window_values(points, HOUR, "mean", ()) == {first: 3.0, first + 2: 7.0}
    assert window_values(points, HOUR, "sum", ()) == {first: 6.0, first + 2: 7.0}
    assert window_values(points, HOUR, "count", ()) == {first: 2.0, first + 2: 1.0}
    assert window_values(points, HOUR, "last", ()) == {first: 5.0, first + 2: 7.0}


def test_days_are_those_of_the_zone():
    late = from_datetime(datetime(2025, 7, 3, 22, 30, tzinfo=UTC))
    assert list(window_values([(late, 1.0)], DAY, "sum", calendar.transitions("Europe/Vienna"))) == [late // DAY + 1]
    assert list(window_values([(late, 1.0)], DAY, "sum", calendar.transitions("UTC"))) == [late // DAY]


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["order", "count"], "sum"), (["revenue", "eur"], "sum"), (["duration", "ms"], "mean"), (["score"], "mean")],
)
def test_amounts_add_up_and_levels_are_averaged(words: list[str], expected: str):
    assert aggregation_of(words, counted=False)[0] == expected
    assert aggregation_of(words, counted=True)[0] == "count"


def test_lateness_is_how_far_the_newest_was_ahead():
    assert lateness_of({(): every(MINUTE, 5)}) == 0
    points = every(MINUTE, 5)
    assert lateness_of({(): [points[0], points[3], points[1], points[4]]}) == 5 * MINUTE
