from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.time import DAY, HOUR, from_datetime
from engine.rules.calendar import day_starts, transitions, zone_exists

FIRST = date(1990, 1, 1)
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca")


def _start_of(zone: str, day: date) -> datetime:
    start = int(day_starts(transitions(zone))[(day - FIRST).days])
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=start)


@given(st.sampled_from(ZONES), st.dates(FIRST, date(2059, 12, 31)))
def test_each_day_begins_at_its_first_instant(zone: str, day: date):
    """Held against a walk over the minutes of that night."""
    info = ZoneInfo(zone)
    moment = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while moment.astimezone(info).date() < day:
        moment += timedelta(minutes=15)
    assert _start_of(zone, day) == moment


@given(st.sampled_from(sorted(available_timezones())), st.datetimes(datetime(1990, 1, 2), datetime(2059, 12, 30)))  # noqa: DTZ001 - made aware below
def test_transitions_give_the_offset_of_every_instant(zone: str, moment: datetime):
    aware = moment.replace(tzinfo=UTC)
    known = [it.offset for it in transitions(zone) if it.start <= from_datetime(aware)]
    assert timedelta(microseconds=known[-1]) == aware.astimezone(ZoneInfo(zone)).utcoffset()


def test_days_of_a_clock_change_are_23_and_25_hours_long():
    starts = day_starts(transitions("America/New_York"))
    index = (date(2013, 3, 10) - FIRST).days
    assert starts[index + 1] - starts[index] == 23 * HOUR
    index = (date(2013, 11, 3) - FIRST).days
    assert starts[index + 1] - starts[index] == 25 * HOUR


def test_where_midnight_does_not_exist_the_day_begins_at_its_first_instant():
    assert _start_of("America/Sao_Paulo", date(2013, 10, 20)) == datetime(2013, 10, 20, 3, tzinfo=UTC)


def test_where_midnight_comes_twice_the_day_begins_at_the_first():
    assert _start_of("Atlantic/Azores", date(2013, 10, 27)) == datetime(2013, 10, 27, 0, tzinfo=UTC)


def test_a_day_that_a_zone_left_out_has_no_length():
    starts = day_starts(transitions("Pacific/Apia"))
    index = (date(2011, 12, 30) - FIRST).days
    assert starts[index + 1] == starts[index]
    assert starts[index] - starts[index - 1] == DAY


def test_days_never_begin_before_their_neighbours():
    for zone in (*sorted(available_timezones())[::20], *ZONES):
        starts = day_starts(transitions(zone))
        assert len(starts) == 25_568
        assert ((starts[1:] - starts[:-1]) >= 0).all(), zone


@pytest.mark.parametrize("name", ["Mars/Base", "America", "", "../etc/passwd", "/etc/localtime", "localtime", "a\0b"])
def test_what_is_no_zone_is_refused(name: str):
    assert not zone_exists(name)
