from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from engine.brokers.reader import read_values
from engine.brokers.topics import TopicAdmin, plan
from engine.client import emitter as emitter_module
from engine.client.connect import EMBEDDED_API_VERSION
from engine.client.emitter import MeasurementEmitter, derived_id, written_time
from engine.errors import BrokerError, WireError
from engine.model.identity import derived_id_beginning, derived_measurement_id, series_key
from engine.model.time import SECOND, format_time
from engine.wire.encode import encode_measurement
from engine.wire.partition import owner
from engine.wire.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker

MOMENT = datetime(2013, 2, 8, 5, tzinfo=UTC)
REPOSITORY = Path(__file__).resolve().parents[2]
PARTITIONS = 3
KPIS = st.sampled_from(["tickets", "delay", "größe"])
DIMENSIONS = st.dictionaries(st.sampled_from(["b", "a", "é"]), st.text(max_size=8))
TIMES = st.integers(EARLIEST, LATEST - 1)
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


def embedded_emitter(embedded: EmbeddedBroker) -> MeasurementEmitter:
    embedded.create_topics({"a.measurements": PARTITIONS})
    return MeasurementEmitter([embedded.bootstrap], prefix="a", source="crm", api_version=EMBEDDED_API_VERSION)


def placed(bootstrap: str, topic: str) -> list[tuple[int, bytes, bytes]]:
    """Partition, key and value of everything on the topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    try:
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, part))[1] for part in range(PARTITIONS)]
        consumer.assign([TopicPartition(topic, part, 0) for part in range(PARTITIONS)])
        found: list[tuple[int, bytes, bytes]] = []
        while len(found) < sum(ends):
            for message in consumer.consume(500, timeout=1):
                assert message.error() is None
                found.append((message.partition() or 0, message.key() or b"", message.value() or b""))  # type: ignore[arg-type]
        return found
    finally:
        consumer.close()


def test_what_is_emitted_is_in_the_log_after_a_flush(embedded: EmbeddedBroker) -> None:
    with embedded_emitter(embedded) as emitter:
        emitter.emit("tickets", {"company": "acme"}, MOMENT, 3, id="t-1")
        emitter.flush()
        assert emitter.pending == 0
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


def test_what_stands_on_the_topic_is_what_the_contract_says_to_the_byte(embedded: EmbeddedBroker) -> None:
    expected: list[tuple[int, bytes, bytes]] = []
    emitter = embedded_emitter(embedded)

    @given(KPIS, DIMENSIONS, TIMES, NUMBERS, st.none() | st.just("own"), st.integers(0, 3))
    def emit(kpi: str, dimensions: dict[str, str], time: int, value: float, own: str | None, revision: int) -> None:
        key = series_key(kpi, dimensions).encode()
        name = own or derived_measurement_id(kpi, dimensions, time)
        message = encode_measurement(kpi, time, value, dimensions, id=name, source="crm", revision=revision)
        expected.append((owner(key, PARTITIONS), key, message))
        emitter.emit(kpi, dimensions, format_time(time), value, id=own, revision=revision)

    with emitter:
        emit()
    assert sorted(placed(embedded.bootstrap, "a.measurements")) == sorted(expected)


@given(KPIS, DIMENSIONS, TIMES)
def test_the_quick_ways_to_write_a_time_and_an_id_are_as_the_plain_ones(
    kpi: str, dimensions: dict[str, str], time: int
) -> None:
    assert written_time(time) == format_time(time)
    assert written_time(time // SECOND * SECOND) == format_time(time // SECOND * SECOND)
    beginning = derived_id_beginning(kpi, dimensions)
    assert derived_id(beginning, time) == derived_measurement_id(kpi, dimensions, time)


@pytest.mark.parametrize("time", ["2013-02-08T05:00:00", datetime(2013, 2, 8, 5)])  # noqa: DTZ001 (what is refused)
def test_a_naive_time_is_refused(embedded: EmbeddedBroker, time: str | datetime) -> None:
    with embedded_emitter(embedded) as emitter, pytest.raises(WireError, match="naive_time"):
        emitter.emit("tickets", {}, time, 3)


def test_a_value_or_length_that_no_measurement_may_have_is_refused(embedded: EmbeddedBroker) -> None:
    with embedded_emitter(embedded) as emitter:
        with pytest.raises(WireError, match="not_finite"):
            emitter.emit("tickets", {}, MOMENT, float("nan"))
        with pytest.raises(WireError, match="too_long"):
            emitter.emit("tickets", {"text": "x" * 1_000_000}, MOMENT, 1)
        assert emitter.pending == 0


def test_series_that_are_forgotten_are_found_again(embedded: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter_module, "_SERIES_MAX", 2)
    with embedded_emitter(embedded) as emitter:
        for number in range(20):
            emitter.emit("tickets", {"company": str(number % 5)}, number, number)
    found = placed(embedded.bootstrap, "a.measurements")
    assert len(found) == 20
    assert all(partition == owner(key, PARTITIONS) for partition, key, _ in found)


def test_what_is_compressed_is_read_as_it_was_emitted(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({"a.measurements": PARTITIONS})
    with MeasurementEmitter(
        [embedded.bootstrap], prefix="a", compression="gzip", api_version=EMBEDDED_API_VERSION
    ) as emitter:
        for number in range(1_000):
            emitter.emit("tickets", {"company": "acme"}, number, number)
    assert len(set(read_values(embedded.bootstrap, "a.measurements"))) == 1_000


def test_threads_may_emit_at_the_same_time(embedded: EmbeddedBroker) -> None:
    def emit(which: int) -> None:
        for number in range(2_000):
            emitter.emit("tickets", {"thread": str(which), "series": str(number % 9)}, number, number)

    with embedded_emitter(embedded) as emitter:
        threads = [threading.Thread(target=emit, args=(which,)) for which in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    values = list(read_values(embedded.bootstrap, "a.measurements"))
    assert len(values) == len(set(values)) == 12_000


def test_a_closed_emitter_says_so_and_may_be_closed_again(embedded: EmbeddedBroker) -> None:
    emitter = embedded_emitter(embedded)
    emitter.close()
    emitter.close()
    with pytest.raises(BrokerError, match="closed"):
        emitter.emit("tickets", {}, MOMENT, 3)


ENDS_WITHOUT_CLOSE = """
import sys
from engine.client import MeasurementEmitter
emitter = MeasurementEmitter([sys.argv[1]], prefix="a", api_version=(0, 11), linger_ms=2_000)
for number in range(5_000):
    emitter.emit("tickets", {"company": str(number % 7)}, number, number)
"""


def test_what_was_emitted_is_sent_when_a_program_ends_without_a_word(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({"a.measurements": PARTITIONS})
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", ENDS_WITHOUT_CLOSE, embedded.bootstrap]
    subprocess.run(command, check=True, env=environment, timeout=60)
    assert len(set(read_values(embedded.bootstrap, "a.measurements"))) == 5_000


@pytest.mark.kafka
def test_a_topic_that_is_not_there_is_named(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(BrokerError, match=re.escape(f"{prefix}.measurements")):
        MeasurementEmitter([kafka.bootstrap], prefix=prefix, seconds=1)


def test_a_broker_that_is_not_there_is_named() -> None:
    with pytest.raises(BrokerError, match=re.escape("127.0.0.1:1")):
        MeasurementEmitter(["127.0.0.1:1"], prefix="a", seconds=1)


@pytest.mark.kafka
def test_the_example_emits_what_it_says(kafka: KafkaBroker, prefix: str) -> None:
    TopicAdmin(kafka.bootstrap).create(plan(prefix, 2))
    example = REPOSITORY / "docs" / "examples" / "emit_measurements.py"
    command = [sys.executable, str(example), kafka.bootstrap, prefix, "4"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, check=True, env=environment, timeout=60, capture_output=True, text=True)
    assert done.stdout == "12 emitted, 0 not acknowledged\n"
    assert len(set(read_values(kafka.bootstrap, f"{prefix}.measurements"))) == 12
