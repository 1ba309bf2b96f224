from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from working_time import due_by_walking

from engine.model.time import DAY, HOUR, MINUTE, SECOND, from_datetime
from engine.rules.calendar import transitions
from engine.rules.due import DUE_WITHIN, due_at
from engine.rules.resolved.timing import Calendar, Due
from engine.rules.ruleset import RuleSet

DAYTIME = ((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))
OFFICE = Calendar("office", "Europe/Berlin", (DAYTIME,) * 5 + ((), ()), ("2026-12-25", "2027-01-01"))
NIGHT = Calendar("night", "Europe/Berlin", (((1 * HOUR, 4 * HOUR),),) * 7)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2010-03-14", "2010-11-07"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "Pacific/Apia": ("2011-12-30",),
}


def _rules(*calendars: Calendar) -> RuleSet:
    zones = {calendar.zone: transitions(calendar.zone) for calendar in calendars}
    return RuleSet((), (), (), (), (), zones, calendars)


def _local(calendar: Calendar, start: str, due: Due) -> str:
    """Wall clock in, wall clock out."""
    zone = ZoneInfo(calendar.zone)
    moment = from_datetime(datetime.fromisoformat(start).replace(tzinfo=zone))
    found = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=due_at(moment, due, _rules(calendar)))
    return f"{found.astimezone(zone):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-06-05 16:00", 4, "Mon 2026-06-08 12:00"),  # a Friday: one hour, then three
        ("2026-06-05 16:00", 1, "Fri 2026-06-05 17:00"),  # the end of a stretch
        ("2026-06-05 17:00", 1, "Mon 2026-06-08 10:00"),
        ("2026-06-05 11:30", 1, "Fri 2026-06-05 13:30"),  # over noon
        ("2026-06-06 10:00", 4, "Mon 2026-06-08 14:00"),  # begun on a Saturday
        ("2026-06-08 08:59", 7, "Mon 2026-06-08 17:00"),
        ("2026-12-24 16:00", 2, "Mon 2026-12-28 10:00"),  # Friday is Christmas Day
        ("2026-12-31 17:00", 1, "Mon 2027-01-04 10:00"),
    ],
)
def test_business_hours_run_only_within_the_hours(start: str, hours: int, expected: str):
    assert _local(OFFICE, start, Due(micros=hours * HOUR, calendar="office")) == expected


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-06-05 16:00", 1, "Mon 2026-06-08 16:00"),
        ("2026-06-05 12:30", 1, "Mon 2026-06-08 13:00"),  # noon is no working moment
        ("2026-06-05 12:00", 1, "Mon 2026-06-08 12:00"),  # the end of a stretch is
        ("2026-06-05 17:00", 1, "Mon 2026-06-08 17:00"),
        ("2026-06-05 18:00", 1, "Tue 2026-06-09 09:00"),
        ("2026-06-06 10:00", 1, "Mon 2026-06-08 10:00"),  # a Saturday is not counted
        ("2026-06-03 07:00", 2, "Fri 2026-06-05 09:00"),
        ("2026-12-24 10:00", 5, "Mon 2027-01-04 10:00"),  # two holidays, two weekends
    ],
)
def test_business_days_keep_the_time_of_day(start: str, days: int, expected: str):
    assert _local(OFFICE, start, Due(days=days, calendar="office")) == expected


@pytest.mark.parametrize(
    ("start", "due", "expected"),
    [
        ("2026-03-29 00:30", Due(micros=2 * HOUR, calendar="night"), "Sun 2026-03-29 04:00"),  # 02 to 03 is not there
        ("2026-03-29 00:30", Due(micros=3 * HOUR, calendar="night"), "Mon 2026-03-30 02:00"),
        ("2026-10-25 00:30", Due(micros=3 * HOUR, calendar="night"), "Sun 2026-10-25 03:00"),  # 02 to 03 comes twice
        ("2026-10-25 00:30", Due(micros=4 * HOUR, calendar="night"), "Sun 2026-10-25 04:00"),
        ("2026-03-28 02:30", Due(days=1, calendar="night"), "Sun 2026-03-29 03:00"),  # skipped: the end of the gap
        ("2026-10-24 02:30", Due(days=1, calendar="night"), "Sun 2026-10-25 02:30"),
    ],
)
def test_hours_worked_are_those_that_elapse_when_the_clock_is_changed(start: str, due: Due, expected: str):
    assert _local(NIGHT, start, due) == expected


def test_of_a_time_that_comes_twice_the_first_is_meant():
    start = from_datetime(datetime(2026, 10, 24, 0, 30, tzinfo=UTC))
    assert due_at(start, Due(days=1, calendar="night"), _rules(NIGHT)) == start + DAY


def test_without_a_calendar_time_runs_on_the_clock():
    assert due_at(17, Due(micros=4 * HOUR), _rules()) == 17 + 4 * HOUR
    assert due_at(17, Due(days=2), _rules()) == 17 + 2 * DAY


def test_nothing_is_raised_for_a_calendar_that_is_missing_or_never_works():
    never = Calendar("never", "UTC", ((),) * 7)
    for rules in (_rules(), _rules(never), RuleSet((), (), (), (), (), {}, (never,))):
        for due in (Due(micros=HOUR, calendar="never"), Due(days=1, calendar="never")):
            assert due_at(0, due, rules) == 2 * DUE_WITHIN


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar with holidays, and a moment in the days about one of its clock changes."""
    zone = draw(st.sampled_from(ZONES))
    about = date.fromisoformat(draw(st.sampled_from(CHANGES.get(zone, ("2026-06-05",)))))
    minutes = st.integers(0, 48).map(lambda half_hours: half_hours * 30 * MINUTE)
    days = st.lists(minutes, unique=True, max_size=4).map(sorted)
    week = [draw(days) for _ in range(7)]
    stretches = [tuple(zip(day[::2], day[1::2], strict=False)) for day in week]
    stretches[draw(st.integers(0, 6))] = ((0, 90 * MINUTE), (22 * HOUR, DAY))
    holidays = draw(st.lists(st.integers(-3, 9), max_size=3))
    dates = tuple(sorted({(about + timedelta(days=offset)).isoformat() for offset in holidays}))
    start = datetime.combine(about, datetime.min.time(), UTC) + timedelta(minutes=draw(st.integers(-4_000, 2_000)))
    return Calendar("c", zone, tuple(stretches), dates), start


@given(calendars(), st.integers(1, 1_500))
def test_working_time_is_what_a_walk_over_the_minutes_counts(drawn: tuple[Calendar, datetime], minutes: int):
    calendar, start = drawn
    found = due_at(from_datetime(start), Due(micros=minutes * MINUTE, calendar="c"), _rules(calendar))
    assert found == from_datetime(due_by_walking(start, calendar, minutes=minutes))


@given(calendars(), st.integers(1, 5))
def test_business_days_are_those_that_a_walk_over_the_minutes_finds(drawn: tuple[Calendar, datetime], days: int):
    calendar, start = drawn
    found = due_at(from_datetime(start), Due(days=days, calendar="c"), _rules(calendar))
    assert found == from_datetime(due_by_walking(start, calendar, days=days))


@given(calendars(), st.integers(1, 10**11), st.integers(0, MINUTE))
def test_a_later_start_is_never_due_earlier(drawn: tuple[Calendar, datetime], micros: int, later: int):
    calendar, start = drawn
    due, rules = Due(micros=micros, calendar="c"), _rules(calendar)
    first = due_at(from_datetime(start), due, rules)
    assert from_datetime(start) + micros <= first <= due_at(from_datetime(start) + later, due, rules)


@given(calendars(), st.integers(1, 10**10))
def test_the_transitions_of_400_days_are_enough(drawn: tuple[Calendar, datetime], micros: int):
    calendar, start = drawn
    since, until = from_datetime(start) - 2 * DAY, from_datetime(start) + DUE_WITHIN
    whole = _rules(calendar)
    known = whole.zones[calendar.zone]
    first = max([0, *(row for row, each in enumerate(known) if each.start <= since)])
    cut = tuple(each for each in known[first:] if each.start <= until)
    some = msgspec.structs.replace(whole, zones={calendar.zone: cut})
    for due in (Due(micros=micros, calendar="c"), Due(days=1 + micros % 9, calendar="c")):
        assert due_at(from_datetime(start), due, some) == due_at(from_datetime(start), due, whole)


def test_a_storm_of_reviews_is_dated_quickly():
    """What it costs is bounded by the days that pass, not by the holidays of a century."""
    holidays = tuple(f"{year}-12-25" for year in range(1990, 2060))
    rules = _rules(msgspec.structs.replace(OFFICE, holidays=holidays))
    start = from_datetime(datetime(2026, 6, 5, 14, tzinfo=UTC))
    dues = {due_at(start + second * SECOND, Due(days=2, calendar="office"), rules) for second in range(5_000)}
    assert len(dues) == 3_601 + 1  # until 17:00, and after it
