"""Windows that run from the first day of a period: month to date and its like, against a twin that adds up again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stage1_twin import kpi, rule

from engine.model.finding import Finding, WindowPoint
from engine.model.outputs import KpiState
from engine.model.records import Tick
from engine.model.time import DAY, HOUR, format_time, from_datetime
from engine.rules.calendar import transitions
from engine.rules.resolved.condition import Threshold
from engine.rules.resolved.timing import Period, Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = {"Europe/Berlin": transitions("Europe/Berlin")}
CLOSING = date(2026, 4, 3)
PERIODS: list[Period] = ["week", "month", "quarter", "year"]

Measured = tuple[date, float, int]
"""Day (at noon there), value, and how many measurements before it it restates (0: a new one)."""


def first_day(day: date, period: Period) -> date:
    return {
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": day.replace(month=1, day=1),
    }[period]


def noon(day: date) -> int:
    return from_datetime(datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN))


def midnight(day: date) -> str:
    return format_time(from_datetime(datetime(day.year, day.month, day.day, tzinfo=BERLIN)))


def told(period: Period, records: list[Record], grace: int = 0, cut: int = 10_000) -> list[KpiState | Finding]:
    """What a KPI with such windows and one rule on it says."""
    window = Window(DAY, DAY, "Europe/Berlin", period)
    own = msgspec.structs.replace(kpi("sum", 0), window=window, idle=DAY, grace=grace, publish=True)
    above = rule("above", Threshold("above", None, 100.0, None), window=window, idle=DAY, grace=grace)
    rule_set = RuleSet((), (), (own,), (above,), (), ZONES)
    around = StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1, future_max=HOUR)
    stage, said, pages = Stage1(0, around), [], {}
    for first in range(0, len(records), cut):
        part = records[first : first + cut]
        batch = Batch("m", 0, first, first + len(part) - 1, first + len(part), encode_batch(part, first))
        said += [output.record.value for output in stage.apply(batch)]
        pages.update({name: page for name, page in stage.dirty_pages().items() if page})
        stage = Stage1(0, around)
        stage.restore(pages)
    kinds = {None: KpiState, "finding": Finding}
    named = [(json.loads(value).get("type"), value) for value in said]
    return [msgspec.json.decode(value, type=kinds[name]) for name, value in named if name in kinds]


def encoded(measured: list[Measured]) -> list[Record]:
    made: list[dict[str, Any]] = []
    for number, (day, value, back) in enumerate(measured):
        known = made[-back] if back and back <= len(made) else None
        body = {"kpi": "k", "id": f"id-{number}", "time": format_time(noon(day)), "value": value, "revision": 0}
        if known is not None:
            body = {**known, "value": value, "revision": known["revision"] + 1}
        made.append(body)
    return [Record(None, json.dumps(body).encode()) for body in made]


def test_each_day_says_what_came_since_the_first_of_the_month():
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(33)]
    said = [each for each in told("month", encoded([(day, 1.0, 0) for day in days])) if isinstance(each, KpiState)]
    assert [each.value for each in said] == [*map(float, range(1, 32)), 1.0]
    assert {each.window.start for each in said[:31]} == {"2026-02-28T23:00:00Z"}
    assert said[30].window.end == "2026-03-31T22:00:00Z"  # 31 days, one of 23 hours
    assert said[31].window.start == "2026-03-31T22:00:00Z"


def test_a_day_without_measurements_says_what_the_day_before_did():
    said = told("week", encoded([(date(2026, 6, 1), 4.0, 0), (date(2026, 6, 5), 3.0, 0), (date(2026, 6, 9), 1.0, 0)]))
    assert [each.value for each in said] == [4.0, 4.0, 4.0, 4.0, 7.0, 7.0, 7.0]


def test_an_idle_series_closes_the_days_that_have_come_and_none_ahead():
    start = from_datetime(datetime(2026, 6, 3, 12, tzinfo=UTC))
    ticks = [encode_control(Tick("replay", n, format_time(start + n * DAY))) for n in range(4)]
    said = told("month", [*encoded([(date(2026, 6, 3), 4.0, 0)]), *ticks])
    assert [(each.value, each.window.end) for each in said] == [(4.0, "2026-06-03T22:00:00Z")]


def test_a_rule_fires_on_the_day_on_which_the_month_passes_its_limit():
    days = [date(2026, 6, 1) + timedelta(days=n) for n in range(32)]
    said = [each for each in told("month", encoded([(day, 20.0, 0) for day in days])) if isinstance(each, Finding)]
    assert [(each.transition, each.event_time[:10]) for each in said] == [
        ("firing", "2026-06-06"),
        ("resolved", "2026-07-01"),
    ]
    point = said[0].evidence.point
    assert isinstance(point, WindowPoint)
    assert (point.value, point.ids.count, point.window.start) == (120.0, 6, "2026-05-31T22:00:00Z")


measured = st.lists(
    st.tuples(
        st.integers(0, 100).map(lambda n: date(2025, 11, 20) + timedelta(days=n)),
        st.sampled_from([0.0, 1.0, 2.5, 10.0]),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=100)
@given(measured, st.sampled_from(PERIODS), st.integers(1, 9))
def test_late_and_restated_days_change_every_day_of_their_period_after_them(
    drawn: list[Measured], period: Period, cut: int
):
    records = encoded(drawn)
    newest: dict[str, tuple[int, date, float]] = {}
    for (day, value, _), record in zip(drawn, records, strict=True):
        body = json.loads(record.value)
        known = newest.get(body["id"])
        if known is None or body["revision"] > known[0]:
            newest[body["id"]] = (body["revision"], known[1] if known else day, value)
    said = told(period, [*records, *encoded([*drawn, (CLOSING, 0.0, 0)])[-1:]], grace=150 * DAY, cut=cut)
    stands = {each.window.end: each.value for each in said if isinstance(each, KpiState)}
    assert stands == expected(list(newest.values()), period)


def expected(counted: list[tuple[int, date, float]], period: Period) -> dict[str, float]:
    """By the end of each day that is over and of a period that has something up to it: the sum."""
    days = sorted({day for _, day, _ in counted})
    found = {}
    for n in range((CLOSING - days[0]).days):
        day = days[0] + timedelta(days=n)
        held = [value for _, at, value in counted if first_day(day, period) <= at <= day]
        if held:
            found[midnight(day + timedelta(days=1))] = sum(held)
    return found


@pytest.mark.parametrize("period", PERIODS)
def test_the_lateness_lets_days_of_the_former_period_in_and_nothing_older(period: Period):
    newest = date(2026, 6, 10)
    late = first_day(newest, period) - timedelta(days=1)
    said = told(period, encoded([(newest, 1.0, 0), (late, 1.0, 0), (newest + timedelta(days=1), 1.0, 0)]))
    assert [each.value for each in said if isinstance(each, KpiState)] == [1.0]
