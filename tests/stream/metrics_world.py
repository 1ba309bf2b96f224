"""A world in which a worker has to do with everything that it counts, the worker in it, and what it shows."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.request import urlopen

from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families
from stream_toy import make_topics, settings_for

from engine.cli.worker import real_stages
from engine.model.identity import series_key
from engine.model.time import DAY, MINUTE, SECOND, Micros, format_time
from engine.model.topics import MEASUREMENTS, full_name
from engine.rules.loader import load_or_raise
from engine.stream.service import serve
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.stream.worker import Worker
    from engine.telemetry.http import Endpoint

PARTITIONS = 2
HOSTS = [f"h{number}" for number in range(8)]
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
kind: kpi
id: queue
title: Queue
owner: ops
objective: calm
definition: Requests that wait
decision: none
direction: lower_is_better
role: leading
unit: requests
aggregation: mean
window: {every: 60s}
target: none
---
kind: kpi
id: load-per-waiting
title: Load for each that waits
owner: ops
objective: calm
definition: Load over the queue
decision: none
direction: lower_is_better
role: leading
unit: share
formula: load / queue
window: {every: 60s}
target: none
---
kind: rule
id: waiting
title: Much for each that waits
kpi: load-per-waiting
condition: {threshold: {above: 1000}}
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
    """Three windows of each host, high in the second; a repeat, a restatement, a latecomer, a finding of long ago, and
    no JSON.
    """

    def one(host: str, at: Micros, value: float, name: str, revision: int = 0) -> bytes:
        body = {"kpi": "load", "time": format_time(at), "value": value, "dimensions": {"host": host}, "id": name}
        return json.dumps({**body, "revision": revision}).encode()

    yield one("h0", now - 30 * DAY, 99.0, "long-ago")
    yield one("h0", now - 29 * DAY, 1.0, "less-long-ago")
    for host in HOSTS:
        for window, value in enumerate((1.0, 99.0, 98.0)):
            yield one(host, now - (5 - window) * MINUTE, value, f"{host}-{window}")
    yield one("h0", now - 3 * MINUTE, 98.0, "h0-2")
    yield one("h0", now - 3 * MINUTE, 97.0, "h0-2", revision=1)
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


async def send_late(bootstrap: str, prefix: str) -> None:
    """Of another KPI windows of long ago, one after the other: a formula over it and the load has gone on since."""
    producer = Producer({"bootstrap.servers": bootstrap})
    place = owner(b"queue{}", PARTITIONS)
    at = time.time_ns() // 1_000 - 20 * DAY
    for number in range(1_000):
        body = {"kpi": "queue", "time": format_time(at + number * MINUTE), "value": 1.0, "id": f"queue-{number}"}
        producer.produce(full_name(prefix, MEASUREMENTS), json.dumps(body).encode(), partition=place)
        await asyncio.to_thread(producer.flush, 10)
        await asyncio.sleep(1)


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


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, list[str]]]:
    """Somebody who waits for heartbeats: the address, and the paths asked for so far.

    The first requests are answered with `statuses`, then all with 200.
    """
    asked: list[str] = []
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(answers, 200))
            self.end_headers()
            asked.append(self.path)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/worker-1", asked
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def running(
    embedded: EmbeddedBroker, folder: Path, heartbeat_url: str, *, goes_on: bool = False
) -> AsyncIterator[int]:
    """A worker in that world, until the end of the block; the port that it serves on. `goes_on`: more is sent
    meanwhile, too late for a formula.
    """
    (folder / "rules.yaml").write_text(RULES)
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
        heartbeat_url=heartbeat_url,
        heartbeat_interval="1s",
        limits={"series_per_kpi_max": 3},
    )
    started: asyncio.Future[tuple[Worker, Endpoint]] = asyncio.get_running_loop().create_future()
    rule_set = load_or_raise([folder / "rules.yaml"])
    serving = asyncio.create_task(
        serve(settings, rule_set, real_stages(), started=lambda *made: started.set_result(made))
    )
    try:
        async with asyncio.timeout(60):
            await asyncio.wait({started, serving}, return_when=asyncio.FIRST_COMPLETED)
        late = asyncio.create_task(send_late(bootstrap, "metrics")) if goes_on else None
        yield started.result()[1].port
        if late is not None:
            late.cancel()
    finally:
        if started.done():
            started.result()[0].stop()
        await serving
