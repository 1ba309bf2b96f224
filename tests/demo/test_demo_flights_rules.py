"""The flights pack on the real table and on two changed ones, against the pandas script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fired import fired_days, triggers_of
from flights_oracle import exchanged, fired, without

from engine.offline.flights import departures, measurements
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    import pandas as pd

PACK = Path(__file__).resolve().parents[2] / "rules" / "flights"
STORM = {(2, 8), (2, 9)}
TO_JUNE = {(2, 8): (6, 10), (2, 9): (6, 11)}


def raised(table: pd.DataFrame) -> dict[str, set[tuple[str, str]]]:
    replayed = replay(load_or_raise([PACK]), measurements(departures(table)))
    assert replayed.counts["accepted"] == 2 * len(table) + table["arr_delay"].notna().sum()
    return fired_days(triggers_of(replayed.outputs), "origin")


def test_the_script_finds_what_is_known_of_the_year(table: pd.DataFrame):
    days = fired(table)
    storm = {(origin, f"2013-02-0{day}") for origin in ("EWR", "JFK", "LGA") for day in (8, 9)}
    assert days["cancelled-share-high"] == storm | {("EWR", "2013-12-14")}
    assert len(days["arrival-delay-high"]) == 18
    assert {(origin, "2013-03-08") for origin in ("EWR", "JFK", "LGA")} < days["arrival-delay-high"]
    spring = {min(day for where, day in days["schedule-moved"] if where == origin) for origin in ("EWR", "JFK", "LGA")}
    assert spring == {"2013-03-01", "2013-03-05"}
    assert days["full-schedule-late"] == {("LGA", "2013-03-08"), ("JFK", "2013-07-10"), ("LGA", "2013-09-12")}


@pytest.mark.slow
def test_the_rules_fire_on_the_days_that_the_script_finds(table: pd.DataFrame):
    assert raised(table) == fired(table)


@pytest.mark.slow
def test_with_the_storm_exchanged_for_two_days_of_june_its_reviews_move_along(table: pd.DataFrame):
    moved = exchanged(table, TO_JUNE)
    days = fired(moved)
    june = {(origin, f"2013-06-1{day}") for origin in ("EWR", "JFK", "LGA") for day in (0, 1)}
    assert days["cancelled-share-high"] == june | {("EWR", "2013-12-14")}
    assert raised(moved) == days


@pytest.mark.slow
def test_with_the_storm_removed_its_reviews_are_gone(table: pd.DataFrame):
    calm = without(table, STORM)
    days = fired(calm)
    assert days["cancelled-share-high"] == {("EWR", "2013-12-14")}
    found = raised(calm)
    assert found.pop("departures-missing", None), "two days without any departure are noticed"
    assert found == days
