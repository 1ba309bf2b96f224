"""The broker dies twice under an emitter: every measurement stands on the topic, and counts once."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.brokers.kafka import KafkaBroker
from engine.brokers.reader import read_values
from engine.brokers.topics import TopicAdmin, plan
from engine.client.emitter import MeasurementEmitter
from engine.model.identity import derived_measurement_id
from engine.model.time import SECOND

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BEGIN = 1_700_000_000
A_TENTH_OF_A_SECOND = 200
SECONDS_EMITTED = 40.0
SECONDS_AFTERWARDS = 60.0
SERIES = 300
RESTARTS = 2
SECONDS_BETWEEN, SECONDS_AWAY = 6.0, 2.0


def dimensions_of(number: int) -> dict[str, str]:
    return {"company": f"company-{number % SERIES}", "region": "emea"}


def emit_until(over: threading.Event, emitter: MeasurementEmitter, emitted: list[int]) -> None:
    """Some 2,000 a second, whatever happens to the broker; what `emit` has taken is noted."""
    began = time.monotonic()
    for step in itertools.count():
        for number in range(step * A_TENTH_OF_A_SECOND, (step + 1) * A_TENTH_OF_A_SECOND):
            emitter.emit("tickets.open", dimensions_of(number), BEGIN + number, number)
            emitted.append(number)
        if over.wait(max(0.0, began + (step + 1) / 10 - time.monotonic())):
            break


def ids_on(bootstrap: str, topic: str) -> Counter[str]:
    return Counter(str(msgspec.json.decode(value)["id"]) for value in read_values(bootstrap, topic))


def test_none_is_lost_or_counted_twice_when_the_broker_dies_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emitted: list[int] = []
    over = threading.Event()
    with KafkaBroker(tmp_path) as broker:
        TopicAdmin(broker.bootstrap).create(plan("emitter", 4))
        began = time.monotonic()
        # A flush fails where something is not acknowledged in that time.
        with MeasurementEmitter([broker.bootstrap], prefix="emitter", seconds=SECONDS_AFTERWARDS) as emitter:
            thread = threading.Thread(target=emit_until, args=(over, emitter, emitted))
            thread.start()
            for _ in range(RESTARTS):
                time.sleep(SECONDS_BETWEEN)
                broker.kill()
                time.sleep(SECONDS_AWAY)
                broker.start()
            time.sleep(max(SECONDS_BETWEEN, began + SECONDS_EMITTED - time.monotonic()))
            over.set()
            thread.join()
            ended = time.monotonic()
            emitter.flush()
            settled = time.monotonic() - ended
            assert (emitter.pending, emitter.failed, emitter.dropped) == (0, 0, 0)
        found = ids_on(broker.bootstrap, "emitter.measurements")
    assert emitted == list(range(len(emitted)))
    assert set(found) == {
        derived_measurement_id("tickets.open", dimensions_of(number), (BEGIN + number) * SECOND) for number in emitted
    }
    with capsys.disabled():
        twice = found.total() - len(found)
        print(f"\n{len(emitted)} emitted in {ended - began:.1f} s, settled {settled:.1f} s later, {twice} stand twice")
