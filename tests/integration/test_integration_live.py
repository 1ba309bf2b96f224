"""A worker on the wall clock: killed and restarted, away for a while, and in front of silence."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from installation import Installation, Placed, distinct, evaluated, findings_among, reviewed

from engine.client.replay import Replay
from engine.model.outputs import WorkedOut
from engine.model.time import DAY, HOUR, SECOND, parse_own_time
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.rules.loader import load_or_raise
from engine.runtime.context import StageContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS = 3
LIVE = {
    "tick_interval": "2s",
    # A static member keeps its place: the restarted worker need not wait until its killed self times out.
    "group_instance_id": "one",
    "session_timeout": "6s",
}
KILLS = 3
HOSTS = 12
AFTER = 6 * SECOND
TICK = 2 * SECOND

CATALOGUE = """
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
window: {every: 2s}
sources: [meter]
dimensions: [host]
target: none
cadence: 6s
series: [{host: h0}, {host: h1}, {host: never}]
---
kind: kpi
id: errors
title: Errors
owner: o
objective: ob
definition: Failed requests
decision: none
direction: lower_is_better
role: lagging
unit: requests
aggregation: mean
window: {every: 2s}
sources: [meter]
dimensions: [host]
target: none
---
"""

HIGH = """
kind: kpi
id: work
title: Work
owner: o
objective: ob
definition: Requests, those that failed twice
decision: none
direction: lower_is_better
role: lagging
unit: requests
formula: load + errors
window: {every: 2s}
dimensions: [host]
target: none
---
kind: rule
id: work-high
title: Much work
kpi: work
condition: {threshold: {above: 120}}
severity: warning
owner: o
review: {due_in: 1h, question: "Why?"}
---
kind: rule
id: load-high
title: Load is high
kpi: load
points: raw
condition: {threshold: {above: 80}}
severity: warning
owner: o
review: {due_in: 1h, question: "Why?"}
---
kind: rule
id: errors-high
title: Errors are high
kpi: errors
condition: {threshold: {above: 50}}
severity: warning
owner: o
review: {due_in: 1h, question: "Why?"}
---
kind: rule
id: both-high
title: Load and errors are high
condition: {composite: {all: [load-high, errors-high], scope: [host]}}
severity: critical
owner: o
review: {due_in: 1h, question: "Why?", close: on_recovery}
"""

SILENCE = """
kind: rule
id: load-missing
title: No load is reported
kpi: load
condition: {missing_data: {}}
severity: warning
owner: o
review: {due_in: 1h, question: "Is the meter broken?"}
---
kind: kpi
id: tickets
title: Tickets
owner: o
objective: ob
definition: New tickets
decision: none
direction: lower_is_better
role: lagging
unit: tickets
aggregation: sum
window: {every: 2s}
sources: [crm]
dimensions: [company]
target: none
cadence: 6s
series: [{company: juniper}, {company: larkspur}]
---
kind: rule
id: tickets-missing
title: No tickets are reported
kpi: tickets
condition: {missing_data: {}}
severity: warning
owner: o
review: {due_in: 1h, question: "Is the export broken?"}
---
kind: source
id: crm
topic: TOPIC
map:
  - kpi: tickets
    value: 1
    time: {path: at, unit: ms}
    dimensions: {company: {path: company}}
"""


class Meters:
    """Sends in a thread of its own what `values(second)` says is measured now: (kpi, host, seconds of age, value)."""

    def __init__(
        self, installation: Installation, values: Callable[[int], list[tuple[str, str, int, float]]], pause: float
    ) -> None:
        self._installation, self._values, self._pause = installation, values, pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with self._installation.sender() as sink:
            writer = Replay(sink, self._installation.partitions, None)
            round_ = 0
            while not self._ended.wait(self._pause):
                now = time.time_ns() // 1_000
                for kpi, host, age, value in self._values(round_):
                    writer.measurement(kpi, {"host": host}, now - age * SECOND, value, source="meter")
                sink.flush()
                round_ += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def loads(number: int) -> list[tuple[str, str, int, float]]:
    """Waves of load and errors, other ones for each host; one host reports what is a month old.

    A wave is several windows long even where rounds are as short as they can be (its means would all be alike else),
    and the hosts' phases lie so close that at any time some are high, however slow the rounds.
    """
    said = []
    for host in range(HOSTS):
        wave = (number // 8 * 3 + host * 17) % 120
        said += [("load", f"h{host}", 0, float(wave)), ("errors", f"h{host}", 0, float(wave * 2 // 3))]
    return [*said, ("load", "late-teller", 30 * DAY // SECOND, float(number % 100))]


def installed(kafka: KafkaBroker, prefix: str, tmp_path: Path, text: str) -> Installation:
    rules = tmp_path / "rules.yaml"
    rules.write_text(CATALOGUE + text)
    return Installation.on_kafka(kafka.bootstrap, prefix, PARTITIONS, rules, **LIVE)


def test_a_killed_worker_on_the_wall_clock_says_what_an_oracle_says_of_its_logs(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    installation = installed(kafka, prefix, tmp_path, HIGH)
    with Meters(installation, loads, 0.05):
        for _ in range(KILLS):
            with installation.worker("live") as worker:
                installation.wait_for_commits(worker)
                time.sleep(2.3)
                worker.kill()
        worker = installation.worker("live")
        installation.wait_for_commits(worker)
    with worker:
        quiet = len(installation.records(MEASUREMENTS))
        time.sleep(6.0)  # some ticks more, so that whatever waits for one is said, and what is made of that
        installation.wait_for_commits(worker, beyond=quiet)
        assert worker.stop() == 0, worker.tail()
    rule_set = load_or_raise([installation.rules])
    context = StageContext(
        {rule_set.hash: rule_set},
        rule_set.hash,
        PARTITIONS,
        PARTITIONS,
        domain="live",
        notify_within=7 * DAY,
        future_max=HOUR,
    )
    findings = installation.records(FINDINGS)
    triggers = distinct(placed.record for placed in installation.records(TRIGGERS))
    expected = evaluated(context, installation.records(MEASUREMENTS))
    said = findings_among(placed.record for placed in findings)
    assert said == findings_among(placed.record for placed in expected)
    # The second stage's input log is the one that stands there: the live ticks between the findings are part of it.
    assert triggers == reviewed(context, findings)
    told = [json.loads(value) for _, value in triggers]
    assert {trigger["data"]["rule"] for trigger in told} == {"load-high", "errors-high", "both-high", "work-high"}
    worked_out = [
        json.loads(each.record.value or b"") for each in installation.records(MEASUREMENTS) if _is_of_us(each)
    ]
    assert len({(each["time"], each["dimensions"]["host"], each.get("revision", 0)) for each in worked_out}) > HOSTS
    of_old = [trigger for trigger in told if "late-teller" in trigger["data"]["scope"]]
    assert of_old
    assert all(trigger["data"]["historical"] for trigger in of_old)
    assert not any(trigger["data"]["historical"] for trigger in told if trigger not in of_old)


def _is_of_us(placed: Placed) -> bool:
    return any(name == WorkedOut.HEADER for name, _ in placed.record.headers)


def test_a_worker_that_was_away_reports_nothing_missing_and_real_silence_in_time(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    topic = f"{prefix}-tickets"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 2)])[topic].result()
    installation = installed(kafka, prefix, tmp_path, SILENCE.replace("TOPIC", topic))
    silent = threading.Event()
    tickets = Producer({"bootstrap.servers": kafka.bootstrap})

    def values(number: int) -> list[tuple[str, str, int, float]]:
        for company in ["juniper"] if silent.is_set() else ["juniper", "larkspur"]:
            tickets.produce(topic, json.dumps({"at": time.time_ns() // 1_000_000, "company": company}), company)
        tickets.flush()
        return [("load", host, 0, float(number % 50)) for host in (["h0"] if silent.is_set() else ["h0", "h1"])]

    with Meters(installation, values, 1.0):
        with installation.worker("live") as worker:
            wait_for_missing(installation, {"never"})
            worker.kill()
        time.sleep(2 * AFTER / SECOND)
        with installation.worker("live") as worker:
            installation.wait_for_commits(worker)
            time.sleep(2 * AFTER / SECOND)
            assert missing(installation).keys() == {"never"}
            silent.set()
            wait_for_missing(installation, {"never", "h1", "larkspur"})
            assert worker.stop() == 0, worker.tail()
    found = missing(installation)
    for name in ("never", "h1"):
        waited = parse_own_time(found[name]["tick_time"]) - parse_own_time(found[name]["waited_since"])
        assert AFTER <= waited <= AFTER + TICK
    triggers = distinct(placed.record for placed in installation.records(TRIGGERS))
    reviews = {(told["review"], told["scope"]) for told in (json.loads(value)["data"] for _, value in triggers)}
    assert sorted(scope for _, scope in reviews) == ["load-missing|source:meter", "tickets-missing|source:crm"]


def missing(installation: Installation) -> dict[str, dict[str, str]]:
    """The evidence of silence by host or company; each is reported once."""
    records = (placed.record for placed in installation.records(FINDINGS))
    found = [json.loads(value) for _, value in findings_among(records)]
    names = [name for finding in found for name in finding["dimensions"].values()]
    assert len(names) == len(set(names)), Counter(names)
    return {name: finding["evidence"]["point"] for name, finding in zip(names, found, strict=True)}


def wait_for_missing(installation: Installation, names: set[str]) -> None:
    deadline = time.monotonic() + 60
    while missing(installation).keys() != names:
        assert time.monotonic() < deadline, missing(installation)
        time.sleep(0.5)
