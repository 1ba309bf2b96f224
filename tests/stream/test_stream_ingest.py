"""Foreign topics through the worker: mapped, copied once by id, and marked as far as they were copied."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from confluent_kafka import Producer
from stream_toy import STAGES, make_topics, settings_for, values_of

from engine.model.topics import DEAD_LETTERS, MEASUREMENTS
from engine.rules.loader import load_or_raise
from engine.runtime.kafka_log import KafkaLog
from engine.stream.service import serve

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.stream.worker import Worker

CATALOGUE = """
kind: owner
id: support
name: Support
---
kind: objective
id: happy
title: Customers get help
owner: support
---
kind: kpi
id: support.tickets
title: Tickets
owner: support
objective: happy
definition: New tickets
decision: none
direction: lower_is_better
role: lagging
unit: tickets
aggregation: sum
window: {every: 1h}
dimensions: [channel]
target: none
---
kind: source
id: crm
topic: crm.tickets.v1
map:
  - kpi: support.tickets
    value: 1
    time: {path: created_at, unit: rfc3339}
    dimensions: {channel: {path: channel}}
    id: {path: ticket_id}
    filter: [{path: status, in: [new]}]
"""
TICKETS = 60
PARTITIONS = 2


def ticket(number: int) -> bytes:
    return json.dumps(
        {
            "ticket_id": f"t{number}",
            "created_at": f"2026-03-01T10:{number:02}:00Z",
            "channel": ("mail", "phone", "web")[number % 3],
            "status": "new" if number % 2 == 0 else "closed",
        }
    ).encode()


def test_new_tickets_become_measurements_and_each_tick_says_how_far_they_are_copied(
    embedded: EmbeddedBroker, tmp_path: Path
):
    (tmp_path / "rules.yaml").write_text(CATALOGUE)
    rule_set = load_or_raise([tmp_path])
    bootstrap = make_topics(embedded, "ingest", PARTITIONS)
    embedded.create_topics({"crm.tickets.v1": 3})
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(TICKETS):
        producer.produce("crm.tickets.v1", ticket(number), partition=number % 3)
    producer.produce("crm.tickets.v1", b"not json", partition=0)
    assert producer.flush(10) == 0

    async def scenario() -> None:
        workers: list[Worker] = []
        settings = settings_for(bootstrap, "ingest", PARTITIONS, domain="live", tick_interval="1s")
        async with KafkaLog(bootstrap, "ingest") as log:
            serving = asyncio.create_task(
                serve(settings, rule_set, STAGES, started=lambda worker, _: workers.append(worker))
            )
            async with asyncio.timeout(25):
                while not await marked(log):  # noqa: ASYNC110 (a log has no events)
                    await asyncio.sleep(0.2)
            workers[0].stop()
            await serving
            per_partition = [await values_of(log, MEASUREMENTS, partition) for partition in range(PARTITIONS)]
            copied = [value for values in per_partition for value in values if "kpi" in value]
            assert sorted(value["id"] for value in copied) == sorted(f"crm/t{n}" for n in range(0, TICKETS, 2))
            assert {value["source"] for value in copied} == {"crm"}
            for values in per_partition:
                kinds = ["copy" if "kpi" in value else value["type"] for value in values]
                assert kinds.index("ingested") > max([i for i, kind in enumerate(kinds) if kind == "copy"], default=-1)
            [letter] = await values_of(log, DEAD_LETTERS, 0)
            assert (letter["reason"], letter["topic"]) == ("not_json", "crm.tickets.v1")

    async def marked(log: KafkaLog) -> bool:
        found = [await values_of(log, MEASUREMENTS, partition) for partition in range(PARTITIONS)]
        return all(any(value.get("type") == "ingested" for value in values) for values in found)

    asyncio.run(scenario())
