"""Windows of calendar days follow the clocks of their zone, through both changes of daylight saving."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from test_stage1_twin import kpi, rule

from engine.model.finding import Finding, WindowPoint
from engine.model.time import DAY, HOUR, from_datetime, parse_own_time
from engine.rules.calendar import transitions
from engine.rules.resolved.condition import Change, Threshold
from engine.rules.resolved.timing import Window
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.records import encode_batch

NEW_YORK = ZoneInfo("America/New_York")


def local(day: date, hour: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) + timedelta(hours=hour)


def findings(conditions: list, measured: list[tuple[datetime, float]], aggregation: str = "count") -> list[Finding]:
    window = Window(DAY, DAY, "America/New_York")
    rules = tuple(rule(f"r{n}", condition, window=window) for n, condition in enumerate(conditions))
    own = msgspec.structs.replace(kpi(aggregation, 0), window=window, idle=DAY)
    rules = tuple(msgspec.structs.replace(r, idle=DAY) for r in rules)
    rule_set = RuleSet((), (), (own,), rules, (), {"America/New_York": transitions("America/New_York")})
    stage = Stage1(0, StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1))
    bodies = [{"kpi": "k", "id": str(n), "time": t.isoformat(), "value": v} for n, (t, v) in enumerate(measured)]
    records = [Record(None, json.dumps(body).encode()) for body in bodies]
    said = stage.apply(Batch("m", 0, 0, len(records) - 1, len(records), encode_batch(records, 0)))
    return [
        msgspec.json.decode(output.record.value, type=Finding) for output in said if b'"finding"' in output.record.value
    ]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2013, 3, 10), 23), (date(2013, 11, 3), 25), (date(2013, 6, 1), 24)], ids=str
)
def test_a_local_day_has_the_hours_that_its_zone_gives_it(day: date, hours: int):
    start = from_datetime(local(day, 0))
    measured = [(datetime.fromtimestamp(start / 1e6 + 1800 * n, tz=NEW_YORK), 1.0) for n in range(-4, 2 * hours + 5)]
    (fired, _) = [f for f in findings([Threshold("above", None, 40.0, None)], measured) if f.transition == "firing"] * 2
    point = fired.evidence.point
    assert isinstance(point, WindowPoint)
    assert point.value == 2 * hours
    assert parse_own_time(point.window.start) == start
    assert parse_own_time(point.window.end) == from_datetime(local(day + timedelta(days=1), 0))


def test_a_weekday_is_held_against_the_same_weekday_across_a_change_of_the_clocks():
    first = date(2013, 2, 25)
    measured = []
    for n in range(30):
        day = first + timedelta(days=n)
        value = 100.0 if day.weekday() == 0 else 10.0
        measured.append((local(day, 12), value * (3 if day == date(2013, 3, 25) else 1)))
    said = findings(
        [Change("weekdays", 3, 0.5, 0.5, relative=True)], [*measured, (local(date(2013, 3, 28), 1), 0.0)], "sum"
    )
    assert [(f.transition, f.value, f.evidence.baseline) for f in said] == [
        ("firing", 300.0, 100.0),
        ("resolved", 10.0, 10.0),
    ]
    starts = [point.start for point in said[0].evidence.baseline_points]
    assert starts == ["2013-03-04T05:00:00Z", "2013-03-11T04:00:00Z", "2013-03-18T04:00:00Z"]


def test_an_hour_is_held_against_the_same_hour_of_earlier_days():
    window = Window(HOUR, HOUR)
    condition = Change("days", 2, 0.5, None, relative=True)
    own = msgspec.structs.replace(kpi("sum", 0), window=window, idle=2 * HOUR)
    watched = rule("days", condition, window=window, idle=2 * HOUR)
    rule_set = RuleSet((), (), (own,), (watched,), (), {})
    stage = Stage1(0, StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1))
    records = []
    for hour in range(100):
        value = 50.0 if hour % 24 == 12 else 10.0
        body = {
            "kpi": "k",
            "id": str(hour),
            "time": 1_700_006_400 + hour * 3600,
            "value": value * (2 if hour == 60 else 1),
        }
        records.append(Record(None, json.dumps(body).encode()))
    said = stage.apply(Batch("m", 0, 0, len(records) - 1, len(records), encode_batch(records, 0)))
    found = [msgspec.json.decode(output.record.value, type=Finding) for output in said]
    assert [(f.transition, f.value, f.evidence.baseline) for f in found] == [
        ("firing", 100.0, 50.0),
        ("resolved", 10.0, 10.0),
    ]
