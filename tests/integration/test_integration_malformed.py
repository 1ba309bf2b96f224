"""Ten thousand malformed messages of twenty kinds among a million good ones, through a real worker on real Kafka."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from installation import Installation, findings_among

from engine.client.replay import Replay
from engine.model.time import MILLISECOND, MINUTE
from engine.model.topics import DEAD_LETTERS, FINDINGS, KPI_STATE, MEASUREMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

GOOD = 1_000_000
EACH = 500
HOSTS = 50
HIGH = 90_000  # the last minute and a half
PARTITIONS = 2
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
publish: true
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
    ("NaN", body().replace(b"1.0", b"NaN"), "not_finite"),
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
    installation = Installation.on_kafka(kafka.bootstrap, prefix, PARTITIONS, rules)
    with installation.worker() as worker:
        send(installation)
        installation.wait_until_settled(worker, 300)
        counts = worker.counts()
        assert worker.stop() == 0, worker.tail()
    assert counts is not None
    assert counts["counterpoint_measurements_total"] == GOOD
    assert counts["counterpoint_dead_letters_total"] == len(KINDS) * EACH
    assert_letters(installation)
    assert_evaluated(installation)


def send(installation: Installation) -> None:
    """Good ones in order of time with their ticks; every hundredth time a malformed one on some partition."""
    bad = [message for _, message, _ in KINDS for _ in range(EACH)]
    random.Random(1).shuffle(bad)
    every = GOOD // len(bad)
    with installation.sender() as sink:
        writer = Replay(sink, PARTITIONS, MINUTE)
        for number in range(GOOD):
            value = 2_000.0 if GOOD - number <= HIGH else float(number % 7)
            host = {"host": f"h{number % HOSTS}"}
            writer.measurement("load", host, START + number * MILLISECOND, value, id=str(number), source="meter")
            if number % every == 0:
                sink.send(number // every % PARTITIONS, None, bad[number // every])
        writer.finish(5 * MINUTE)


def assert_letters(installation: Installation) -> None:
    """Each malformed message has one letter, with its reason, its place and its bytes."""
    log = {(placed.partition, placed.offset): placed.record.value for placed in installation.records(MEASUREMENTS)}
    reason_of = {message: reason for _, message, reason in KINDS}
    expected = {place: reason_of[value] for place, value in log.items() if value in reason_of}
    assert len(expected) == len(KINDS) * EACH
    letters = [json.loads(value) for value in installation.values(DEAD_LETTERS)]
    assert {(letter["partition"], letter["offset"]): letter["reason"] for letter in letters} == expected
    for letter in letters:
        assert letter["topic"] == MEASUREMENTS
        assert letter["detail"]
        assert base64.b64decode(letter["bytes"]) == log[letter["partition"], letter["offset"]]


def assert_evaluated(installation: Installation) -> None:
    """The closed windows hold every good measurement once, and each host's high load was found."""
    windows = {value for value in installation.values(KPI_STATE) if value}
    assert sum(json.loads(value)["parts"]["count"] for value in windows) == GOOD
    found = [json.loads(value) for value in findings_values(installation)]
    assert Counter(finding["dimensions"]["host"] for finding in found) == {f"h{number}": 1 for number in range(HOSTS)}


def findings_values(installation: Installation) -> list[bytes]:
    """The distinct findings."""
    return [value for _, value in findings_among(placed.record for placed in installation.records(FINDINGS))]
