"""The broker dies under a subscriber: it waits, goes on, and every trigger comes, in order per review."""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.brokers.kafka import KafkaBroker
from engine.client import ReviewSubscriber

sys.path.append(str(Path(__file__).parents[1] / "client"))
from review_topics import ReviewTopics, trigger

if TYPE_CHECKING:
    from engine.client import Delivery

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

REVIEWS = 20
AWAY = 3
"""Times that the broker dies; each review has one transition more."""


def tell(topics: ReviewTopics, ordinal: int) -> None:
    topics.tell(*(trigger(number, ordinal) for number in range(REVIEWS)))


def wait_for(found: list[Delivery], count: int, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 90
    while len({each.id for each in found}) < count:
        assert thread.is_alive()
        assert time.monotonic() < deadline, len(found)
        time.sleep(0.1)


def test_a_subscriber_outlives_its_broker(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.CRITICAL, "kafka")
    found: list[Delivery] = []
    stop = threading.Event()
    with KafkaBroker(tmp_path) as broker:
        topics = ReviewTopics(broker, "p")
        with ReviewSubscriber(topics.brokers, prefix="p", group="g", session_seconds=6) as following:
            thread = threading.Thread(target=following.run, args=(found.append, stop), daemon=True)
            thread.start()
            for ordinal in range(1, AWAY + 1):
                tell(topics, ordinal)
                wait_for(found, (ordinal - 1) * REVIEWS + 1, thread)  # it dies among them
                broker.kill()
                broker.start()
            tell(topics, AWAY + 1)
            wait_for(found, (AWAY + 1) * REVIEWS, thread)
            stop.set()
            thread.join(30)
    seen: set[str] = set()
    for delivery in found:
        assert delivery.redelivered or delivery.id not in seen
        seen.add(delivery.id)
    for number in range(REVIEWS):
        of_one = [each.trigger.data for each in found if each.id.startswith(trigger(number).data.review)]
        assert [*dict.fromkeys(data.ordinal for data in of_one)] == [*range(1, AWAY + 2)]
