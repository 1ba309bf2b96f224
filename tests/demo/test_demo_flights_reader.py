from __future__ import annotations

import importlib.util
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError
from engine.model.measurement import Measurement
from engine.model.time import SECOND, from_datetime
from engine.offline import flights

NEW_YORK = ZoneInfo("America/New_York")


def test_the_flights_make_a_million_measurements_in_the_order_of_the_schedule(table: pd.DataFrame):
    rows = flights.departures(table)
    seen, kpis, ids = 0, Counter[str](), set()
    for time, measurement in flights.measurements(rows):
        assert time >= seen
        assert time == measurement.time * SECOND
        seen = time
        kpis[measurement.kpi] += 1
        ids.add(measurement.id)
    assert kpis == {flights.VOLUME: 336_776, flights.CANCELLED: 336_776, flights.DELAY: 327_346}
    assert len(ids) == sum(kpis.values()) == flights.count(rows) == 1_000_898


def test_every_departure_falls_on_the_local_day_that_the_table_says(table: pd.DataFrame):
    rows = flights.departures(table)
    local = pd.to_datetime(pd.Series(rows.time), unit="us", utc=True).dt.tz_convert(NEW_YORK)
    days = Counter(zip(rows.origin, local.dt.strftime("%m-%d"), strict=True))
    assert days == Counter(
        (origin, f"{month:02}-{day:02}")
        for origin, month, day in zip(table["origin"], table["month"], table["day"], strict=True)
    )


def test_a_measurement_says_what_its_row_says():
    row = {"year": 2013, "month": 7, "day": 4, "sched_dep_time": 905, "carrier": "UA", "flight": 7, "origin": "LGA"}
    rows = flights.departures(pd.DataFrame([row | {"dep_time": 901.0, "arr_delay": -12.0}]))
    time = from_datetime(datetime(2013, 7, 4, 9, 5, tzinfo=NEW_YORK))
    name, where = "UA7-LGA-2013-07-04", {"origin": "LGA"}
    assert list(flights.measurements(rows)) == [
        (time, Measurement("flights.volume", time // SECOND, 1, where, f"{name}.volume", "flights")),
        (time, Measurement("flights.cancelled_share", time // SECOND, 0, where, f"{name}.cancelled", "flights")),
        (time, Measurement("flights.arrival_delay", time // SECOND, -12, where, f"{name}.delay", "flights")),
    ]


def test_a_flight_that_did_not_depart_has_no_arrival_delay():
    row = {"year": 2013, "month": 1, "day": 4, "sched_dep_time": 905, "carrier": "UA", "flight": 7, "origin": "LGA"}
    rows = flights.departures(pd.DataFrame([row | {"dep_time": np.nan, "arr_delay": np.nan}]))
    values = [measurement.value for _, measurement in flights.measurements(rows)]
    assert values == [1, 1]
    assert flights.count(rows) == 2


def test_a_time_that_the_clocks_skipped_is_refused():
    row = {"year": 2013, "month": 3, "day": 10, "sched_dep_time": 230, "carrier": "UA", "flight": 7, "origin": "LGA"}
    with pytest.raises(ConfigError, match="exist once in America/New_York"):
        flights.departures(pd.DataFrame([row | {"dep_time": 1.0, "arr_delay": 1.0}]))


def test_without_the_optional_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flights, "_PACKAGE", "no_such_package_of_flights")
    assert importlib.util.find_spec("no_such_package_of_flights") is None
    with pytest.raises(ConfigError, match=r"pip install 'counterpoint-kpi\[demo\]'"):
        flights.load_table()
