"""When maintenance is: a table made by hand over changes of the clock, and a walk by the standard library's zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest
from errors_catalogue import CATALOGUE

from engine.model.time import DAY, HOUR, MINUTE, format_time, from_datetime
from engine.rules.calendar import transitions
from engine.rules.loader import load_read
from engine.rules.maintenance import Planned, covering, planned, settle
from engine.rules.resolved.condition import MissingData
from engine.rules.resolved.maintenance import Dates, Maintenance
from engine.rules.resolved.timing import Calendar
from engine.rules.ruleset import RuleSet
from engine.rules.source import read_text

BERLIN, LORD_HOWE, NEW_YORK = "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"
SUNDAYS = Maintenance("restart", BERLIN, (Dates((6,)),), 2 * HOUR, 4 * HOUR)
HALF = Maintenance("backup", BERLIN, (Dates((6,)),), 2 * HOUR + 30 * MINUTE, 2 * HOUR + 45 * MINUTE)
NIGHTS = Maintenance("index", BERLIN, (Dates((0, 1, 2, 3, 4)),), 23 * HOUR, 25 * HOUR)
OFFICE = Calendar("office", BERLIN, (((9 * HOUR, 17 * HOUR),),) * 5 + ((), ()), ("2026-12-25",))
FREE = Maintenance("nobody is there", BERLIN, calendar=OFFICE)


def rules() -> RuleSet:
    return RuleSet((), (), (), (), (), {zone: transitions(zone) for zone in (BERLIN, LORD_HOWE, NEW_YORK)})


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("maintenance", "moment", "end"),
    [
        # An ordinary Sunday in winter: two hours.
        (SUNDAYS, "2026-03-22T00:59:59Z", None),
        (SUNDAYS, "2026-03-22T01:00:00Z", "2026-03-22T03:00:00Z"),
        (SUNDAYS, "2026-03-22T02:59:59Z", "2026-03-22T03:00:00Z"),
        (SUNDAYS, "2026-03-22T03:00:00Z", None),
        # The clock jumps from 2 to 3: what there is of it is 3 to 4, one hour.
        (SUNDAYS, "2026-03-29T00:59:59Z", None),
        (SUNDAYS, "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
        (SUNDAYS, "2026-03-29T02:00:00Z", None),
        # The clock goes back from 3 to 2: 2 to 3 comes twice, three hours.
        (SUNDAYS, "2026-10-24T23:59:59Z", None),
        (SUNDAYS, "2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z"),
        (SUNDAYS, "2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"),
        (SUNDAYS, "2026-10-25T03:00:00Z", None),
        # A quarter of an hour that the clock skips is not there, one that comes twice is there twice.
        (HALF, "2026-03-29T00:30:00Z", None),
        (HALF, "2026-03-29T01:30:00Z", None),
        (HALF, "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z"),
        (HALF, "2026-10-25T01:00:00Z", None),
        (HALF, "2026-10-25T01:30:00Z", "2026-10-25T01:45:00Z"),
        # Over midnight, by the day on which it begins: not on the night to Monday, but on that to Saturday.
        (NIGHTS, "2026-06-08T21:00:00Z", "2026-06-08T23:00:00Z"),
        (NIGHTS, "2026-06-12T22:30:00Z", "2026-06-12T23:00:00Z"),
        (NIGHTS, "2026-06-14T22:30:00Z", None),
        # Outside of working hours: from a Friday evening to Monday morning, over a holiday to the day after.
        (FREE, "2026-06-12T14:59:00Z", None),
        (FREE, "2026-06-12T15:00:00Z", "2026-06-15T07:00:00Z"),
        (FREE, "2026-12-24T16:00:00Z", "2026-12-28T08:00:00Z"),
    ],
)
def test_it_lies_where_the_clock_on_the_wall_says_so(maintenance: Maintenance, moment: str, end: str | None):
    found = covering((maintenance,), at(moment), rules())
    assert (found and format_time(found.end)) == end


@pytest.mark.parametrize(
    ("dates", "begins"),
    [
        (Dates((6,), 1), ["2026-02-01", "2026-03-01", "2026-04-05"]),
        (Dates((6,), 2), ["2026-02-08", "2026-03-08", "2026-04-12"]),
        (Dates((4,), -1), ["2026-02-27", "2026-03-27", "2026-04-24"]),
        (Dates((4,), 5), []),
        (Dates(nth=31), ["2026-03-31"]),
        (Dates(nth=-1), ["2026-02-28", "2026-03-31", "2026-04-30"]),
        (Dates(on="2026-03-17"), ["2026-03-17"]),
    ],
)
def test_the_days_that_it_comes_on(dates: Dates, begins: list[str]):
    noon = Maintenance("lunch", "UTC", (dates,), 12 * HOUR, 13 * HOUR)
    days = [date(2026, 2, 1) + timedelta(days=number) for number in range(28 + 31 + 30)]
    found = [day.isoformat() for day in days if covering((noon,), at(f"{day}T12:30:00Z"), rules())]
    assert found == begins


def test_since_and_until_are_the_days_on_which_one_may_begin():
    nights = msgspec.structs.replace(NIGHTS, since="2026-06-09", until="2026-06-10")
    found = [day for day in range(8, 13) if covering((nights,), at(f"2026-06-{day:02}T21:30:00Z"), rules())]
    assert found == [9, 10]
    assert covering((nights,), at("2026-06-10T22:59:59Z"), rules()), "begun on the last day, it goes on past midnight"


def test_what_follows_without_a_gap_goes_on_and_has_the_first_reason():
    early = Maintenance("early", BERLIN, (Dates((6,)),), 0, 2 * HOUR)
    found = covering((SUNDAYS, early), at("2026-06-14T22:30:00+02:00") - DAY, rules())
    assert found is None
    assert covering((SUNDAYS, early), at("2026-06-14T00:30:00+02:00"), rules()) == Planned(
        at("2026-06-14T04:00:00+02:00"), "early"
    )


@pytest.mark.parametrize("seed", range(40))
def test_it_is_what_a_walk_by_the_minute_finds(seed: int):
    random = Random(seed)
    zone = random.choice([BERLIN, LORD_HOWE, NEW_YORK])
    begin = random.randrange(24 * 4) * 15 * MINUTE
    length = random.choice([15, 60, 120, 180, 24 * 60]) * MINUTE
    dates = random.choice([Dates((6,)), Dates((5, 6)), Dates((6,), random.randrange(1, 5)), Dates((6,), -1)])
    each = Maintenance("x", zone, (dates,), begin, begin + length)
    changes = {BERLIN: "2026-10-24", LORD_HOWE: "2026-04-04", NEW_YORK: "2026-03-07"}
    start = datetime.fromisoformat(f"{changes[zone]}T00:00:00").replace(tzinfo=UTC)
    walked = [goes_on(each, start + timedelta(minutes=5 * step)) for step in range(3 * 24 * 12)]
    found = [covering((each,), from_datetime(start) + step * 5 * MINUTE, rules()) for step in range(3 * 24 * 12)]
    assert [each is not None for each in found] == walked
    for step, told in enumerate(found[: -25 * 12]):
        if told is not None and not all(walked[step:]):
            left = walked[step:].index(False)
            assert told.end == from_datetime(start) + (step + left) * 5 * MINUTE


def goes_on(each: Maintenance, moment: datetime) -> bool:
    """By the standard library: what the clock shows, counted from the midnight of each date."""
    local = moment.astimezone(ZoneInfo(each.zone)).replace(tzinfo=None, fold=0)
    for back in range(2):
        day = local.date() - timedelta(days=back)
        since = (local - datetime.combine(day, datetime.min.time())) // timedelta(microseconds=1)
        if each.begin <= since < each.end and any(comes(dates, day) for dates in each.dates):
            return True
    return False


def comes(dates: Dates, day: date) -> bool:
    same = [day + timedelta(weeks=week) for week in range(-5, 6)]
    of_month = [each for each in same if (each.year, each.month) == (day.year, day.month)]
    wanted = {0: of_month, -1: of_month[-1:]}.get(dates.nth, of_month[dates.nth - 1 : dates.nth])
    return day.weekday() in dates.weekdays and day in wanted


PAGE = f"""{CATALOGUE}
kind: calendar
id: office
zone: Europe/Berlin
hours: {{mon-fri: "09:00-17:00"}}
---
kind: rule
id: many
title: Many errors
kpi: errors
condition: {{threshold: {{above: 10}}}}
critical: {{threshold: {{above: 100}}}}
"""
SILENT = """
---
kind: rule
id: quiet
title: No word
kpi: errors
condition: {missing_data: {after: 3h}}
"""
NIGHT = '{every: sun, from: "02:00", to: "04:00", zone: Europe/Berlin, reason: Restart}'


def loaded(text: str):
    return load_read(read_text("rules.yaml", PAGE + text))


def test_a_window_falls_into_what_goes_on_as_it_ends_and_a_raw_point_into_what_goes_on_then():
    rule_set = loaded(f"maintenance: [{NIGHT}]").rule_set
    assert rule_set is not None
    windows = rule_set.rule_by_id["many"]
    raw = msgspec.structs.replace(windows, points="raw")
    hours = [f"2026-06-14T0{hour}:00:00+02:00" for hour in range(1, 6)]
    assert [planned(windows, at(hour), rule_set) is not None for hour in hours] == [False, False, True, True, False]
    assert [planned(raw, at(hour), rule_set) is not None for hour in hours] == [False, True, True, False, False]


def test_silence_that_is_noticed_or_began_in_it_is_planned():
    rule_set = loaded(SILENT + f"maintenance: [{NIGHT}]").rule_set
    assert rule_set is not None
    rule = rule_set.rule_by_id["quiet"]
    assert isinstance(rule.condition, MissingData)
    assert rule.condition.after == settle(rule, rule_set) == 3 * HOUR
    found = [planned(rule, at(f"2026-06-14T0{hour}:30:00+02:00"), rule_set) is not None for hour in range(1, 9)]
    assert found == [False, True, True, False, True, True, False, False]


def test_what_a_rule_needs_to_see_that_all_is_well_is_a_window_its_closing_and_what_it_keeps():
    text = "keep_firing_for: 3h\nidle: 30m\nat_least: {m: 2, of: 5}\n"
    rule_set = loaded(text + f"maintenance: [{NIGHT}]").rule_set
    assert rule_set is not None
    assert settle(rule_set.rule_by_id["many"], rule_set) == 4 * HOUR + 30 * MINUTE + 3 * HOUR


def test_one_document_says_it_for_many_rules():
    written = SILENT + f"---\nkind: maintenance\nid: restart\nkpis: {{owner: ops}}\nwhen: [{NIGHT}]\n"
    written += "---\nkind: maintenance\nid: weekends\nrules: [many]\n"
    written += "when: [{calendar: office, reason: Nobody is there}]\n"
    rule_set = loaded(written).rule_set
    assert rule_set is not None
    reasons = {rule.id: [each.reason for each in rule.maintenance] for rule in rule_set.rules}
    assert reasons == {
        "many": ["Restart", "Nobody is there"],
        "many.critical": ["Restart", "Nobody is there"],
        "quiet": ["Restart"],
    }
    assert BERLIN in rule_set.zones


def test_it_decides_no_verdict_so_that_a_rule_keeps_its_state():
    without, within = loaded("").rule_set, loaded(f"maintenance: [{NIGHT}]").rule_set
    assert without is not None
    assert within is not None
    assert without.rule_by_id["many"].fingerprint == within.rule_by_id["many"].fingerprint
    assert RuleSet.decode(within.encoded) == within
    assert RuleSet.decode(within.encoded).hash == within.hash


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{every: sunday, from: "02:00", to: "04:00", zone: Europe/Berlin, reason: x}', "days like"),
        ('{every: 6th sun, from: "02:00", to: "04:00", zone: Europe/Berlin, reason: x}', "days like"),
        ('{every: 32nd, from: "02:00", to: "04:00", zone: Europe/Berlin, reason: x}', "days like"),
        ('{every: 1st sat-sun, from: "02:00", to: "04:00", zone: Europe/Berlin, reason: x}', "days like"),
        ('{every: sun, from: "2:00", to: "04:00", zone: Europe/Berlin, reason: x}', 'a time of day like "02:00"'),
        ('{every: sun, from: "02:00", to: "24:01", zone: Europe/Berlin, reason: x}', 'a time of day like "02:00"'),
        ('{every: sun, from: "02:00", to: "02:00", zone: Europe/Berlin, reason: x}', "a time other than `from`"),
        ('{every: sun, from: "02:00", to: "04:00", reason: x}', "`zone` beside"),
        ("{every: sun, calendar: office, reason: x}", "exactly one of every, on or calendar"),
        ('{calendar: office, from: "02:00", reason: x}', "not beside `calendar`"),
        ("{calendar: ofice, reason: x}", "a calendar that is declared"),
        ('{every: day, from: "00:00", to: "24:00", zone: UTC, reason: x}', "some time in which somebody is told"),
        ('{every: sun, from: "02:00", to: "04:00", zone: UTC}', "`reason`"),
        (
            '{every: sun, from: "02:00", to: "04:00", zone: UTC, reason: x, since: 2026-02-01, until: 2026-01-01}',
            "a date from `since` on",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_its_place(written: str, said: str):
    [problem] = loaded(f"maintenance:\n  - {written}\n").problems
    assert said in problem.expected
    assert problem.line == PAGE.count("\n") + 2


def test_a_document_that_is_for_no_rule_is_refused():
    text = f"---\nkind: maintenance\nid: restart\nwhen: [{NIGHT}]\n"
    found = [loaded(text + more).problems for more in ("", "kpis: {owner: nobody}", "rules: [few]", "kpis: {}")]
    assert [[(problem.code, problem.severity) for problem in problems] for problems in found] == [
        [("maintenance", "error")],
        [("no-rule-meant", "warning")],
        [("unknown-rule", "error")],
        [],
    ]
