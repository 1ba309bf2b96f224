"""The shop's log at an embedded broker. The simulated histories stand beside the tests of the simulation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from explain_world import world
from memory_installation import PARTITIONS

from engine.brokers.topics import plan
from engine.model.topics import CONTROL, FINDINGS, MEASUREMENTS, RULE_SETS, SHADOW_TRIGGERS, TRIGGERS, full_name

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker

sys.path.insert(0, str(Path(__file__).parent.parent / "simulate"))

PREFIX = "shop"


@pytest.fixture
def installation(embedded: EmbeddedBroker) -> list[str]:
    """The shop's log at an embedded broker; the options that lead there."""
    embedded.create_topics({topic.name: topic.partitions for topic in plan(PREFIX, PARTITIONS)})
    producer = Producer({"bootstrap.servers": embedded.bootstrap})
    for topic in (RULE_SETS, CONTROL, MEASUREMENTS, FINDINGS, TRIGGERS, SHADOW_TRIGGERS):
        for partition in range(1 if topic in (RULE_SETS, CONTROL) else PARTITIONS):
            for record in world().log.records(topic, partition):
                name, headers = full_name(PREFIX, topic), list(record.headers)
                producer.produce(name, record.value, record.key, partition, headers=headers)
    producer.flush(10)
    return ["--brokers", embedded.bootstrap, "--prefix", PREFIX]
