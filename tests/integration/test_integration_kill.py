"""kill -9 in the middle of a load on real Kafka: findings and triggers are those of an oracle over the dumped input
log.
"""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installation import Installation, distinct, evaluated, findings_among, reviewed

from engine.model.time import HOUR
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.flights import departures, load_table, measurements
from engine.offline.tail import tail_of
from engine.rules.loader import load_or_raise
from engine.runtime.context import StageContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.brokers.kafka import KafkaBroker
    from engine.model.measurement import Measurement
    from engine.model.time import Micros

    Told = tuple[Micros, Measurement]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

RULES = Path(__file__).parents[2] / "rules" / "flights"
PARTITIONS = 4
KILLS = 4
AT_ONCE, A_TENTH_OF_A_SECOND = 250_000, 300
# A static member keeps its place: the restarted worker need not wait until its killed self times out.
STATIC = {"group_instance_id": "one", "session_timeout": "6s"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(kafka: KafkaBroker, prefix: str, seed: int):
    rule_set = load_or_raise([RULES])
    installation = Installation.on_kafka(kafka.bootstrap, prefix, PARTITIONS, RULES, **STATIC)
    table = load_table()
    history = measurements(departures(table[table["month"] <= 6]))
    killed = threading.Event()
    arguments = (in_good_time(history, killed), HOUR, tail_of(rule_set, HOUR))
    sender = threading.Thread(target=installation.replay, args=arguments, daemon=True)
    sender.start()
    chance = random.Random(seed)
    for _ in range(KILLS):
        with installation.worker() as worker:
            installation.wait_for_commits(worker)
            time.sleep(chance.uniform(0.0, 1.0))
            assert not settled(installation), "the load was over before the kill"
            worker.kill()
    killed.set()
    with installation.worker() as worker:
        sender.join(120)
        installation.wait_until_settled(worker, 240)
        assert worker.stop() == 0, worker.tail()
    findings = installation.records(FINDINGS)
    context = StageContext({rule_set.hash: rule_set}, rule_set.hash, PARTITIONS, PARTITIONS)
    expected = evaluated(context, installation.records(MEASUREMENTS))
    assert len(findings_among(placed.record for placed in expected)) > 50
    assert findings_among(placed.record for placed in findings) == findings_among(placed.record for placed in expected)
    assert distinct(placed.record for placed in installation.records(TRIGGERS)) == reviewed(context, expected)


def in_good_time(history: Iterable[Told], killed: threading.Event) -> Iterator[Told]:
    """The first half at once, then little by little until the last kill: each is to find measurements on their way."""
    for number, told in enumerate(history):
        if number > AT_ONCE and number % A_TENTH_OF_A_SECOND == 0:
            killed.wait(0.1)
        yield told


def settled(installation: Installation) -> bool:
    """Whether all that is there was committed."""
    with installation.follower() as follower:
        return follower.settled
