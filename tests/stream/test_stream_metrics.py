"""What a worker shows at /metrics after real work: every metric that is declared has moved, in a text that parses."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.request import urlopen

from confluent_kafka import Producer
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from stream_toy import make_topics, settings_for

from engine.cli.worker import real_stages
from engine.model.identity import series_key
from engine.model.time import DAY, MINUTE, SECOND, Micros, format_time
from engine.model.topics import MEASUREMENTS, full_name
from engine.rules.loader import load_or_raise
from engine.stream.service import serve
from engine.telemetry.metrics import Metrics
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.stream.worker import Worker
    from engine.telemetry.http import Endpoint

PARTITIONS = 2
HOSTS = [f"h{number}" for number in range(8)]
MAY_BE_ZERO = {
    "counterpoint_consumer_lag_records",
    "counterpoint_progress_age_seconds",
    "counterpoint_replay_seconds",
}
RULES = """
kind: owner
id: ops
name: Operations
---
kind: objective
id: calm
title: Hosts are calm
owner: ops
---
kind: kpi
id: load
title: Load
owner: ops
objective: calm
definition: Requests a second
decision: none
direction: lower_is_better
role: lagging
unit: requests
aggregation: mean
window: {every: 60s}
dimensions: [host]
target: none
publish: true
---
kind: rule
id: load-high
title: Load is high
kpi: load
points: raw
condition: {threshold: {above: 10}}
severity: critical
review: {due_in: 1h, question: "Why?"}
---
kind: rule
id: load-very-high
title: Load is very high
kpi: load
points: raw
condition: {threshold: {above: 50}}
severity: warning
mode: shadow
review: {due_in: 1h, question: "Why?"}
---
kind: rule
id: load-anywhere
title: Some host is loaded
condition: {composite: {any: [load-high, load-very-high], scope: [host]}}
severity: warning
mode: shadow
review: {due_in: 1h, question: "Why?"}
---
kind: source
id: crm
topic: crm.loads.v1
map:
  - kpi: load
    value: {path: load}
    time: {path: at, unit: rfc3339}
    dimensions: {host: {path: host}}
    id: {path: id}
"""


def measured(now: Micros) -> Iterator[bytes]:
    """Three windows of each host, high in the second; a repeat, a latecomer, a finding of long ago, and no JSON."""

    def one(host: str, at: Micros, value: float, name: str) -> bytes:
        body = {"kpi": "load", "time": format_time(at), "value": value, "dimensions": {"host": host}, "id": name}
        return json.dumps(body).encode()

    yield one("h0", now - 30 * DAY, 99.0, "long-ago")
    yield one("h0", now - 29 * DAY, 1.0, "less-long-ago")
    for host in HOSTS:
        for window, value in enumerate((1.0, 99.0, 98.0)):
            yield one(host, now - (5 - window) * MINUTE, value, f"{host}-{window}")
    yield one("h0", now - 3 * MINUTE, 98.0, "h0-2")
    yield one("h0", now - 20 * DAY, 1.0, "late")
    yield b"no JSON"


def send(bootstrap: str, prefix: str) -> None:
    """Everything to the partition that owns h0: the other hosts' measurements must be passed on."""
    producer = Producer({"bootstrap.servers": bootstrap})
    now = time.time_ns() // 1_000 // SECOND * SECOND
    place = owner(series_key("load", {"host": "h0"}).encode(), PARTITIONS)
    for value in measured(now):
        producer.produce(full_name(prefix, MEASUREMENTS), value, partition=place)
    loads = {"load": 3, "at": format_time(now - MINUTE), "host": "h1", "id": "1"}
    producer.produce("crm.loads.v1", json.dumps(loads).encode())
    assert producer.flush(10) == 0


Shown = dict[str, dict[tuple[str, ...], float]]


def shown(port: int) -> Shown:
    """Values by metric and labels; of histograms the counts."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: Shown = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name.removesuffix("_count"), {})[labels] = sample.value
    return found


def unmoved(values: Shown) -> list[str]:
    """Declared metrics that show nothing, or nothing above zero though they should."""
    names = [declaration.name for declaration in Metrics(CollectorRegistry()).declarations]
    return [
        name
        for name in names
        if not values.get(name) or (name not in MAY_BE_ZERO and not any(value > 0 for value in values[name].values()))
    ]


def test_every_declared_metric_moves_in_a_run_that_has_to_do_with_it(embedded: EmbeddedBroker, tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(RULES)
    rule_set = load_or_raise([tmp_path])
    bootstrap = make_topics(embedded, "metrics", PARTITIONS)
    embedded.create_topics({"crm.loads.v1": 1})
    send(bootstrap, "metrics")
    settings = settings_for(
        bootstrap,
        "metrics",
        PARTITIONS,
        domain="live",
        tick_interval="1s",
        notify_within="1d",
        kpi_gauges=True,
        kpi_gauges_max=1,
        limits={"series_per_kpi_max": 3},
    )

    async def scenario() -> None:
        started: list[tuple[Worker, Endpoint]] = []
        serving = asyncio.create_task(
            serve(settings, rule_set, real_stages(), started=lambda *made: started.append(made))
        )
        values: Shown = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                while unmoved(values) and not serving.done():
                    await asyncio.sleep(0.5)
                    if started:
                        values = await asyncio.to_thread(shown, started[0][1].port)
        if started:
            started[0][0].stop()
        await serving
        assert unmoved(values) == []
        assert_consistent(values)

    asyncio.run(scenario())


def assert_consistent(values: Shown) -> None:
    """What is counted in two places agrees, and nothing shows that should not."""
    shadow = {rule for rule, _ in values["counterpoint_shadow_findings_total"]}
    assert shadow == {"load-very-high", "load-anywhere"}
    found = values["counterpoint_findings_total"]
    for (rule, state), count in values["counterpoint_shadow_findings_total"].items():
        assert count == sum(number for (name, entered, _), number in found.items() if (name, entered) == (rule, state))
    assert [rule for (rule,), count in values["counterpoint_reviews_open"].items() if count] == ["load-high"]
    refused = values["counterpoint_dead_letters_total"]["too_many_series",]
    assert values["counterpoint_limits_reached_total"]["series_per_kpi_max",] == refused
    assert len(values["counterpoint_kpi_value"]) == 1
