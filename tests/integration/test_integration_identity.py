"""The same measurements and ticks give the same triggers, byte for byte: whatever the broker, the partitions, the
batches.
"""

from __future__ import annotations

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


def history() -> Iterator[tuple[Micros, Measurement]]:
    return measurements(departures(load_table()))


@pytest.fixture(scope="module")
def expected() -> dict[str, set[bytes]]:
    """By trigger id, the one value that it has."""
    replayed = replay(RULE_SET, history(), every=EVERY)
    triggers = by_id(output.record.value for output in replayed.outputs if output.topic == TRIGGERS)
    assert len(triggers) > 40
    assert all(len(values) == 1 for values in triggers.values())
    return triggers


@pytest.mark.parametrize("records_a_batch", [1, 7])
def test_batches_of_any_size_give_the_same_triggers(expected: dict[str, set[bytes]], records_a_batch: int):
    replayed = replay(RULE_SET, history(), every=EVERY, partitions=3, records_a_batch=records_a_batch)
    assert by_id(output.record.value for output in replayed.outputs if output.topic == TRIGGERS) == expected


def through(bootstrap: str, prefix: str, partitions: int) -> dict[str, set[bytes]]:
    """The triggers of a worker."""
    installation = Installation(bootstrap, prefix, partitions, RULES)
    with installation.worker() as worker:
        installation.replay(history(), EVERY, tail_of(RULE_SET, EVERY))
        installation.wait_until_settled(worker, 240)
        assert worker.stop() == 0
    return by_id(installation.values(TRIGGERS))


@pytest.mark.kafka
@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_real_kafka_gives_the_same_triggers_on_any_number_of_partitions(
    kafka: KafkaBroker, prefix: str, expected: dict[str, set[bytes]], partitions: int
):
    assert through(kafka.bootstrap, prefix, partitions) == expected


def test_the_embedded_broker_gives_the_same_triggers(embedded: EmbeddedBroker, expected: dict[str, set[bytes]]):
    installation = Installation.on_embedded(embedded, "flights", 4, RULES)
    with installation.worker() as worker:
        installation.replay(history(), EVERY, tail_of(RULE_SET, EVERY))
        installation.wait_until_settled(worker, 240)
        assert by_id(installation.values(TRIGGERS)) == expected
        assert worker.stop() == 0
