"""Ten thousand malformed messages of twenty kinds among a million good ones, through a real worker on real Kafka."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from installation import Installation

from engine.client.replay import Replay
from engine.model.topics import DEAD_LETTERS, MEASUREMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

GOOD = 1_000_000
EACH = 500
START = 1_700_000_000_000_000

RULES = """
kind: owner
id: o
name: Owner
---
kind: objective
id: ob
title: Objective
owner: o
---
kind: kpi
id: load
title: Load
owner: o
objective: ob
definition: Requests a second
decision: none
direction: lower_is_better
role: lagging
unit: requests
aggregation: mean
window: {every: 60s}
sources: [meter]
dimensions: [host]
target: none
---
kind: rule
id: load-high
title: Load is high
kpi: load
condition: {threshold: {above: 1000}}
severity: warning
owner: o
review: {due_in: 1h, question: "Why?"}
"""


def body(**changes: object) -> bytes:
    plain = {"kpi": "load", "time": "2023-11-14T22:13:20Z", "value": 1.0, "dimensions": {"host": "a"}, "id": "x"}
    return json.dumps({name: value for name, value in {**plain, **changes}.items() if value is not ...}).encode()


KINDS: list[tuple[str, bytes, str]] = [
    ("not UTF-8", b'{"kpi": "\xff\xfe"}', "not_utf8"),
    ("not JSON", b"load,2023-11-14,1.0", "not_json"),
    ("cut short", body()[:-10], "not_json"),
    ("empty", b"", "empty"),
    ("not an object", b'"load"', "not_an_object"),
    ("no KPI", body(kpi=...), "missing_field"),
    ("no value", body(value=...), "missing_field"),
    ("unknown field", body(colour="red"), "unknown_field"),
    ("the same field twice", b'{"kpi":"load","kpi":"load","time":1700000000,"value":1}', "duplicate_field"),
    ("a string as value", body(value="1.0"), "wrong_type"),
    ("a boolean as value", body(value=True), "wrong_type"),
    ("null as value", body(value=None), "wrong_type"),
    ("NaN", body().replace(b"1.0", b"NaN"), "not_json"),
    ("beyond a double", body().replace(b"1.0", b"1e400"), "out_of_range"),
    ("no time zone", body(time="2023-11-14T22:13:20"), "naive_time"),
    ("milliseconds", body(time=1_700_000_000_000), "looks_like_milliseconds"),
    ("no time at all", body(time="yesterday"), "bad_time"),
    ("unknown KPI", body(kpi="weight"), "unknown_kpi"),
    ("unknown dimension", body(dimensions={"rack": "a"}), "unknown_dimension"),
    ("another's source", body(source="rumour"), "source_not_allowed"),
]


def test_every_malformed_message_is_a_dead_letter_and_every_good_one_is_evaluated(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    installation = Installation(kafka.bootstrap, prefix, 2, rules)
    assert len(KINDS) == 20
    with installation.worker() as worker:
        sent: Counter[tuple[int, bytes]] = Counter()
        with installation.sender() as sink:
            writer = Replay(sink, 2, None)
            bad = [(reason, message) for _, message, reason in KINDS for _ in range(EACH)]
            every = GOOD // len(bad)
            for number in range(GOOD):
                at = START + number * 1_000
                value = 2_000.0 if number >= GOOD - 60_000 else float(number % 7)
                writer.measurement("load", {"host": f"h{number % 50}"}, at, value, id=str(number))
                if number % every == 0:
                    reason, message = bad[number // every]
                    partition = number // every % 2
                    sink.send(partition, None, message)
                    sent[partition, message] += 1
            writer.finish()
        installation.wait_until_settled(worker, 300)
        counts = worker.counts()
        assert counts is not None
        assert worker.stop() == 0
    letters = [json.loads(value) for value in installation.values(DEAD_LETTERS)]
    unique = {(letter["partition"], letter["offset"], letter["index"]): letter for letter in letters}
    assert len(unique) == len(KINDS) * EACH
    reasons = Counter(letter["reason"] for letter in unique.values())
    expected: Counter[str] = Counter()
    for _, _, reason in KINDS:
        expected[reason] += EACH
    assert reasons == expected
    log = {(placed.partition, placed.offset): placed.record.value for placed in installation.records(MEASUREMENTS)}
    for (partition, offset, _), letter in unique.items():
        assert base64.b64decode(letter["bytes"]) == log[partition, offset]
    assert counts["counterpoint_measurements_total"] >= GOOD
