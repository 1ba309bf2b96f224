"""`limit` from measurements to triggers: on however many partitions of either stage, and recomputed by anybody."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.client.replay import Replay
from engine.model.records import Activate
from engine.model.time import HOUR, Micros, parse_own_time
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given as told_of
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.partition import owner
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runtime.ports import Output

RULES = """\
kind: owner
id: web
name: Web
---
kind: objective
id: growth
title: Growth
owner: web
---
kind: kpi
id: errors
title: Errors
owner: web
objective: growth
definition: Errors of a host
decision: Take it out
direction: lower_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
grace: 3h
dimensions: [host]
target: {value: 5, by: 2030-12-31}
---
kind: rule
id: errors-high
title: Too many errors
kpi: errors
condition: {threshold: {above: 10}}
limit: 3
review: {reopen_within: 0s}
"""
BEGIN = parse_own_time("2026-01-05T00:00:00Z")
HOSTS = [f"h{number}" for number in range(9)]
Row = tuple[Micros, str, float, int]


def history(random: Random) -> list[Row]:
    """Twelve hours of nine hosts in good and bad moods; some values are said again."""
    rows, known = [], {}
    for hour in range(12):
        bad = random.choice([0.1, 0.4, 0.9])
        for host in HOSTS:
            time = BEGIN + hour * HOUR
            known[host] = 20.0 if random.random() < bad else 1.0
            rows.append((time, host, known[host], 0))
            if hour and random.random() < 0.1:
                rows.append((time - HOUR, host, random.choice([1.0, 20.0]), hour))
    return rows


class Sink:
    """What stands in each partition of the measurements."""

    def __init__(self, partitions: int, first: str) -> None:
        self.records = [[encode_control(Activate(0, first, 0))] for _ in range(partitions)]

    def send(self, partition: int, key: bytes | None, value: bytes | None, headers: Any = ()) -> None:
        self.records[partition].append(Record(key, value, tuple(headers)))

    def flush(self) -> None:
        """All of it is there."""


def batch(topic: str, partition: int, records: Sequence[Record]) -> Batch:
    return Batch(topic, partition, 0, len(records) - 1, len(records), encode_batch(list(records), 0))


def triggers(rows: list[Row], measurements: int, findings: int, random: Random) -> list[bytes]:
    """What both stages make of it, on so many partitions; findings of several come in any order."""
    rules = load_read(read_text("rules.yaml", RULES)).rule_set
    assert rules is not None
    context = StageContext({rules.hash: rules}, rules.hash, measurements, findings, future_max=HOUR)
    sink = Sink(measurements, rules.hash)
    sender = Replay(sink, measurements, HOUR)
    for time, host, value, revision in rows:
        name = f"{host}-{time}"
        sender.measurement(
            "errors",
            {"host": host},
            time,
            value,
            id=name,
            source=None,
            revision=revision,
            sent=rows_sent(time, revision),
        )
    sender.finish(6 * HOUR)
    said = [
        Stage1(number, context).apply(batch(MEASUREMENTS, number, sink.records[number]))
        for number in range(measurements)
    ]
    found: list[bytes] = []
    for partition in range(findings):
        records = merged([[each for each in of if place(each, findings) == partition] for of in said], random)
        outputs = Stage2(partition, context).apply(batch(FINDINGS, partition, records)) if records else []
        found += [each.record.value or b"" for each in outputs if each.topic == TRIGGERS]
    return sorted(found)


def rows_sent(time: Micros, revision: int) -> Micros:
    return time + HOUR if revision else time


def place(output: Output, findings: int) -> int | None:
    if output.topic != FINDINGS:
        return None
    return owner(output.record.key or b"", findings) if output.partition is None else output.partition


def merged(streams: list[list[Output]], random: Random) -> list[Record]:
    found = []
    while any(streams):
        found.append(random.choice([each for each in streams if each]).pop(0).record)
    return found


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**9))
def test_on_however_many_partitions_of_either_stage_the_triggers_are_the_same(seed: int):
    rows = history(Random(seed))
    once, *others = (triggers(rows, *counts, Random(f"{seed}{counts}")) for counts in ((1, 1), (2, 3), (3, 2)))
    assert all(each == once for each in others)


def test_every_trigger_of_a_limited_rule_is_recomputed_from_its_evidence_and_every_change_of_it_found():
    events = [json.loads(each) for seed in range(3) for each in triggers(history(Random(seed)), 2, 2, Random(seed))]
    storms = [each for each in events if each["data"]["evidence"]["type"] == "group"]
    assert {each["data"]["evidence"]["storm"]["rages"] for each in storms} == {True, False}
    assert len(storms) < len(events)
    for event in events:
        assert explain(told_of(event)).failures == (), event["data"]["explanation"]
    opening = next(each for each in storms if each["type"].endswith("opened.v1"))
    for changes in (
        {"limit": 2},
        {"rages": False},
        {"apart": 90},
        {"members": "0" * 32},
        {"since": "2026-01-01T00:00:00Z"},
    ):
        tampered = msgspec.json.decode(msgspec.json.encode(opening))
        tampered["data"]["evidence"]["storm"] |= changes
        assert explain(told_of(tampered)).failures != (), changes


def test_the_storm_is_told_in_whole_numbers_that_people_can_read():
    rows = [(BEGIN + hour * HOUR, host, 20.0 if hour == 2 else 1.0, 0) for hour in range(5) for host in HOSTS]
    said = [json.loads(each)["data"] for each in triggers(rows, 1, 1, Random(0))]
    [opened] = [each for each in said if each["alert"] == "on"]
    assert opened["explanation"] == (
        "Too many errors: a storm of 9 series as of 2026-01-05T03:00:00Z; "
        "it began at 2026-01-05T03:00:00Z with more than 3 at once."
    )
