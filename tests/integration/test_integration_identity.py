"""The same measurements and ticks give the same triggers, byte for byte: whatever the broker, the partitions, the
batches.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installation import Installation, by_id

from engine.model.time import HOUR
from engine.model.topics import TRIGGERS
from engine.offline.flights import departures, load_table, measurements
from engine.offline.replay import replay
from engine.offline.tail import tail_of
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker
    from engine.model.measurement import Measurement
    from engine.model.time import Micros

pytestmark = pytest.mark.slow

RULES = Path(__file__).parents[2] / "rules" / "flights"
RULE_SET = load_or_raise([RULES])
EVERY = 6 * HOUR
AHEAD = {"future_max": "6h"}  # the worker must take what lies between two ticks


def history() -> Iterator[tuple[Micros, Measurement]]:
    return measurements(departures(load_table()))


def replayed(partitions: int, records_a_batch: int, count: int | None = None) -> dict[str, set[bytes]]:
    """Of the first `count` measurements, or of all."""
    told = islice(history(), count)
    outputs = replay(RULE_SET, told, every=EVERY, partitions=partitions, records_a_batch=records_a_batch).outputs
    return by_id(output.record.value or b"" for output in outputs if output.topic == TRIGGERS)


@cache
def expected() -> dict[str, set[bytes]]:
    """By trigger id, the one value that it has: one partition, in this process."""
    triggers = replayed(1, 5_000)
    assert len(triggers) >= 70
    assert all(len(values) == 1 for values in triggers.values())
    return triggers


def test_batches_of_seven_records_give_the_same_triggers():
    assert replayed(3, 7) == expected()


def test_batches_of_one_record_give_the_same_triggers():
    a_quarter = 240_000
    triggers = replayed(1, 5_000, a_quarter)
    assert len(triggers) >= 10
    assert replayed(3, 1, a_quarter) == triggers


@pytest.mark.kafka
@pytest.mark.parametrize(("partitions", "decoder"), [(1, "scanner"), (4, "scanner"), (12, "scanner"), (4, "reference")])
def test_real_kafka_gives_the_same_triggers_on_any_number_of_partitions(
    kafka: KafkaBroker, prefix: str, partitions: int, decoder: str
):
    through_a_worker(Installation.on_kafka(kafka.bootstrap, prefix, partitions, RULES, decoder=decoder, **AHEAD))


@pytest.mark.parametrize("decoder", ["scanner", "reference"])
def test_the_embedded_broker_gives_the_same_triggers(embedded: EmbeddedBroker, decoder: str):
    through_a_worker(Installation.on_embedded(embedded, f"flights-{decoder}", 4, RULES, decoder=decoder, **AHEAD))


def through_a_worker(installation: Installation) -> None:
    """What a plain consumer and `counterpoint triggers` see of a worker's work is what was expected."""
    with installation.worker() as worker:
        sent = installation.replay(history(), EVERY, tail_of(RULE_SET, EVERY))
        installation.wait_until_settled(worker, 240)
        counts = worker.counts()
        assert worker.stop() == 0, worker.tail()
    assert counts is not None
    assert counts["counterpoint_measurements_total"] == sent
    assert by_id(installation.values(TRIGGERS)) == expected()
    assert by_id(shown(installation)) == expected()


def shown(installation: Installation) -> list[bytes]:
    """The lines of `counterpoint triggers --format json`."""
    options = ("--brokers", installation.bootstrap, "--prefix", installation.prefix, "--format", "json")
    command = [sys.executable, "-m", "engine", "triggers", *options]
    return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout.splitlines()
