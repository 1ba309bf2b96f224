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
from installation import Installation, oracle, outcome

from engine.cli.demo_follow import Follower
from engine.model.time import HOUR
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.offline.flights import departures, load_table, measurements
from engine.offline.tail import tail_of
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

RULES = Path(__file__).parents[2] / "rules" / "flights"
PARTITIONS = 4
KILLS = 4


@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(kafka: KafkaBroker, prefix: str, seed: int):
    rule_set = load_or_raise([RULES])
    static = {"group_instance_id": "one", "session_timeout": "6s"}
    installation = Installation(kafka.bootstrap, prefix, PARTITIONS, RULES, **static)
    table = load_table()
    history = measurements(departures(table[table["month"] <= 6]))
    sender = threading.Thread(
        target=installation.replay, args=(history, HOUR, tail_of(rule_set, HOUR)), name="sender", daemon=True
    )
    sender.start()
    chance = random.Random(seed)
    for _ in range(KILLS):
        with installation.worker() as worker:
            wait_for_work(installation, worker)
            time.sleep(chance.uniform(0.0, 2.0))
            worker.kill()
    with installation.worker() as worker:
        sender.join(120)
        installation.wait_until_settled(worker, 240)
        assert worker.stop() == 0
    spoken = outcome(
        [placed.record for placed in installation.records(FINDINGS)],
        [placed.record for placed in installation.records(TRIGGERS)],
    )
    expected = oracle(rule_set, installation.records(MEASUREMENTS), PARTITIONS)
    assert len(expected.findings) > 50
    assert spoken.findings == expected.findings
    assert spoken.triggers == expected.triggers


def wait_for_work(installation: Installation, worker: object) -> None:
    """Until the worker has committed something that it took itself."""
    deadline = time.monotonic() + 60
    with Follower(installation.bootstrap, installation.prefix, installation.prefix, installation.topics) as follower:
        before = follower.left
        while follower.left == before and time.monotonic() < deadline:
            worker.require_alive()  # type: ignore[attr-defined]
            time.sleep(0.1)
