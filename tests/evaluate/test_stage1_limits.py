"""What can grow has a limit, and what is refused at it is told or counted."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
from test_stage1_twin import START, kpi, rule

from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.records import Tick
from engine.model.time import HOUR, SECOND, format_time
from engine.rules.resolved.condition import Threshold
from engine.rules.ruleset import RuleSet
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.state.partition import PartitionState
from engine.wire.batch import Batch, Record
from engine.wire.columns import FOREIGN
from engine.wire.control import encode_control
from engine.wire.partition import owner
from engine.wire.records import encode_batch


def stage(limits: Limits, above: float = 1e9, **changes: Any) -> Stage1:
    own = msgspec.structs.replace(kpi("count", 0), **changes)
    rules = (
        rule("above", Threshold("above", None, above, None), grace=own.grace),
        rule("raw", Threshold("above", None, 5.0, None), points="raw", lateness=HOUR),
    )
    rule_set = RuleSet((), (), (own,), rules, (), {})
    return Stage1(0, StageContext({rule_set.hash: rule_set}, rule_set.hash, 1, 1, limits=limits))


def feed(subject: Stage1, records: list[Record]) -> list[dict[str, Any]]:
    batch = Batch("m", 0, 0, len(records) - 1, len(records), encode_batch(records, 0))
    return [json.loads(output.record.value) for output in subject.apply(batch)]


def measure(second: float, value: float = 1.0, name: str | None = None, **more: Any) -> Record:
    time = format_time(START + int(second * SECOND))
    return Record(
        None, json.dumps({"kpi": "k", "id": name or str(second), "time": time, "value": value, **more}).encode()
    )


def test_a_series_past_the_limit_is_refused_by_name():
    subject = stage(Limits(series_per_kpi_max=2), dimensions=("host",))
    said = feed(subject, [measure(n, dimensions={"host": f"h{n % 3}"}) for n in range(6)])
    assert [(letter["reason"], letter["offset"]) for letter in said] == [("too_many_series", 2), ("too_many_series", 5)]
    assert subject.counts["accepted"] == 4


def test_past_the_ids_of_a_series_older_input_is_late_and_never_counted_twice():
    subject = stage(Limits(ids_per_series_max=10))
    feed(subject, [measure(n) for n in range(20)])
    before = subject.counts["accepted"]
    assert subject.counts["limit", "ids_per_series_max"] > 0
    feed(subject, [measure(n) for n in range(20)])
    assert subject.counts["accepted"] == before == 20
    assert subject.counts["late"] + subject.counts["duplicate"] == 20


def test_ids_that_are_no_longer_accepted_are_let_go():
    subject = stage(Limits())
    for hour in range(200):
        feed(subject, [measure(hour * 3600 + n) for n in range(100)])
    assert subject.counts["accepted"] == 20_000
    assert len(subject.state.tables.ids) <= 4_096


def test_past_the_raw_points_the_oldest_becomes_final():
    subject = stage(Limits(raw_points_max=8))
    feed(subject, [measure(n) for n in range(100)])
    assert subject.state.tables.slots["points"].max() <= 8
    assert subject.counts["limit", "raw_points_max"] == 92
    assert subject.counts["limit", "ids_per_series_max"] == 0
    said = feed(subject, [measure(97.5, 9.0), measure(50.5, 9.0)])
    assert [(s["rule"], s["transition"], s["event_time"]) for s in said] == [
        ("raw", "firing", format_time(START + int(97.5 * SECOND))),
        ("raw", "resolved", format_time(START + 98 * SECOND)),
    ]


def test_the_future_is_refused_once_there_is_a_tick():
    subject = stage(Limits())
    tick = encode_control(Tick("live", 1, format_time(START)))
    said = feed(subject, [tick, measure(3600), measure(3601)])
    assert [(s["reason"], s["offset"]) for s in said if "reason" in s] == [("from_the_future", 2)]


def test_times_that_no_calendar_covers_are_refused():
    record = Record(None, json.dumps({"kpi": "k", "time": "1975-01-01T00:00:00Z", "value": 1}).encode())
    assert [s["reason"] for s in feed(stage(Limits()), [record])] == ["time_out_of_range"]


def test_a_long_id_is_shown_by_its_beginning_and_its_hash():
    name = "a-very-long-identifier-" + "x" * 100
    (fired,) = feed(stage(Limits()), [measure(1, 9.0, name=name)])
    shown = fired["evidence"]["point"]["id"]
    assert len(shown) == 40
    assert shown.startswith("a-very-long-identifier-~")


def test_a_long_array_of_bad_items_is_kept_once_and_not_in_every_letter():
    message = Record(None, b"[" + b"0," * 4_999 + b"0]")
    letters = [*feed(stage(Limits()), [message]), *feed(stage(Limits()), [Record(None, b"[0, 0]")])]
    assert [letter["index"] for letter in letters] == [*range(5_000), 0, 1]
    kept = [base64.b64decode(letter["bytes"]) for letter in letters]
    assert kept == [message.value, *[b""] * 4_999, b"[0, 0]", b"[0, 0]"]


def test_series_of_other_partitions_are_told_apart_and_leave_nothing_behind():
    plan = stage(Limits(), dimensions=("a",)).state.plan
    state = PartitionState(plan, 0, 2, Limits())
    found = [state.resolve("k", {"a": str(number)}, None) for _ in range(2) for number in range(40)]
    assert found[:40] == found[40:]
    foreign = [owner(series_key("k", {"a": str(number)}).encode(), 2) != 0 for number in range(40)]
    assert [row == FOREIGN for row in found[:40]] == foreign
    assert 8 < len(state.series) == foreign.count(False)
