from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.brokers.reader import read_values
from engine.brokers.topics import TopicAdmin, plan
from engine.client.emitter import EMBEDDED_API_VERSION, MeasurementEmitter
from engine.errors import BrokerError, WireError

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker

MOMENT = datetime(2013, 2, 8, 5, tzinfo=UTC)


def embedded_emitter(embedded: EmbeddedBroker) -> MeasurementEmitter:
    embedded.create_topics({"a.measurements": 3})
    return MeasurementEmitter(embedded.bootstrap, "a", source="crm", api_version=EMBEDDED_API_VERSION)


def test_what_is_emitted_is_in_the_log_after_a_flush(embedded: EmbeddedBroker) -> None:
    with embedded_emitter(embedded) as emitter:
        emitter.emit("tickets", {"company": "acme"}, MOMENT, 3, id="t-1")
        emitter.flush()
        (value,) = read_values(embedded.bootstrap, "a.measurements")
    assert msgspec.json.decode(value) == {
        "kpi": "tickets",
        "time": "2013-02-08T05:00:00Z",
        "value": 3,
        "dimensions": {"company": "acme"},
        "id": "t-1",
        "source": "crm",
    }


def test_the_same_measurement_gets_the_same_id_however_its_time_is_written(embedded: EmbeddedBroker) -> None:
    with embedded_emitter(embedded) as emitter:
        for time in (MOMENT, "2013-02-08T00:00:00-05:00", MOMENT.timestamp()):
            emitter.emit("tickets", {}, time, 3)
    assert len(set(read_values(embedded.bootstrap, "a.measurements"))) == 1


def test_a_naive_time_is_refused(embedded: EmbeddedBroker) -> None:
    with embedded_emitter(embedded) as emitter, pytest.raises(WireError, match="naive_time"):
        emitter.emit("tickets", {}, "2013-02-08T05:00:00", 3)


@pytest.mark.kafka
def test_a_topic_that_is_not_there_is_named(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(BrokerError, match=re.escape(f"{prefix}.measurements")):
        MeasurementEmitter(kafka.bootstrap, prefix, seconds=1)


def test_a_broker_that_is_not_there_is_named() -> None:
    with pytest.raises(BrokerError, match=re.escape("127.0.0.1:1")):
        MeasurementEmitter("127.0.0.1:1", "a", seconds=1)


@pytest.mark.kafka
def test_a_real_broker_takes_what_is_emitted(kafka: KafkaBroker, prefix: str) -> None:
    TopicAdmin(kafka.bootstrap).create(plan(prefix, 2))
    with MeasurementEmitter(kafka.bootstrap, prefix) as emitter:
        for number in range(100):
            emitter.emit("tickets", {"company": str(number % 7)}, MOMENT.timestamp() + number, number)
    assert len(set(read_values(kafka.bootstrap, f"{prefix}.measurements"))) == 100
