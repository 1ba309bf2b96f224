"""Times of rows in the ways that people write them, and how rows are numbered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import WireError
from engine.model.time import DAY, HOUR, MINUTE, from_datetime
from engine.offline.detect.times import Place, place_of
from engine.offline.detect.windows import LOOKED_AT, Numbering, step_of

NOON = from_datetime(datetime(2026, 1, 31, 12, tzinfo=UTC))
MIDNIGHT = NOON - 12 * HOUR


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T13:00:00+01:00", NOON),
        ("2026-01-31 12:00:00", NOON),
        ("2026-01-31 12:00", NOON),
        ("2026-01-31", MIDNIGHT),
        ("2026-01", MIDNIGHT - 30 * DAY),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), NOON),
        (str(NOON // 1_000_000), NOON),
        (str(NOON // 1_000), NOON),
        (NOON, NOON),
        (NOON * 1_000, NOON),
    ],
)
def test_a_time_is_read_as_it_is_usually_written(written: object, at: int):
    assert place_of(written) == Place(at, is_time=True)


@pytest.mark.parametrize(("written", "number"), [("1871", 1871), ("0", 0), (17, 17), ("2.5", 2.5)])
def test_small_numbers_are_no_times(written: object, number: float):
    assert place_of(written) == Place(number, is_time=False)


@pytest.mark.parametrize("written", ["", "31.01.2026", "yesterday", None, True, "nan"])
def test_what_is_no_time_is_refused_with_what_to_write(written: object):
    with pytest.raises(WireError, match=r"expected a time, a date or a number, found .*write times as 2026-01-31T"):
        place_of(written)


def placed(distances: list[int]) -> list[Place]:
    at, places = MIDNIGHT, [Place(MIDNIGHT, is_time=True)]
    for distance in distances:
        at += distance
        places.append(Place(at, is_time=True))
    return places


def numbers_of(places: list[Place], step: float) -> tuple[list[int], int]:
    numbering = Numbering(step, places[0])
    numbers = [numbering.number_of(place) for place in places]
    return [number - numbers[0] for number in numbers], numbering.crowded


@pytest.mark.parametrize(
    ("distances", "step"),
    [
        ([HOUR] * (LOOKED_AT - 1), HOUR),
        ([5 * MINUTE, 5 * MINUTE, 3 * DAY], 5 * MINUTE),
        ([5 * MINUTE - 1_000_000, 5 * MINUTE + 1_000_000, 5 * MINUTE], 5 * MINUTE),
        ([7 * MINUTE] * 3, 7 * MINUTE),
        ([31 * DAY, 28 * DAY, 31 * DAY], 31 * DAY),
        ([0, 0], 1.0),
    ],
)
def test_the_step_is_the_median_distance_or_the_usual_one_that_it_nearly_is(distances: list[int], step: float):
    assert step_of(placed(distances)) == step


def test_a_gap_leaves_numbers_out():
    assert numbers_of(placed([HOUR, 3 * HOUR, HOUR]), HOUR) == ([0, 1, 4, 5], 0)


def test_a_row_that_does_not_move_on_is_the_next_one_and_counted():
    assert numbers_of(placed([HOUR, 0, -HOUR, 3 * HOUR, HOUR]), HOUR) == ([0, 1, 2, 3, 4, 5], 2)


def test_months_follow_one_another_whatever_their_length():
    months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 20
    assert numbers_of(placed([days * DAY for days in months]), 31 * DAY) == ([*range(len(months) + 1)], 0)
    assert numbers_of(placed([31 * DAY, 92 * DAY, 31 * DAY]), 31 * DAY) == ([0, 1, 4, 5], 0)


def test_years_as_numbers_are_numbered_by_themselves():
    years = [Place(year, is_time=False) for year in (1871, 1872, 1875)]
    assert step_of(years[:2]) == 1
    assert numbers_of(years, 1) == ([0, 1, 4], 0)
