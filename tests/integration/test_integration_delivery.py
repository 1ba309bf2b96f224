"""Delivery through everything: Kafka, a webhook, Alertmanager and a subscriber are real, and worker, subscriber and
broker are killed again and again. Nothing is lost, order is kept, repeats are marked.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from delivery_site import SUBSCRIBER, Arrival, Feed, Hook, Program, arrivals_in, reviews_of, wait_for

from engine.brokers.kafka import KafkaBroker, find_java, find_libs
from engine.brokers.topics import TopicAdmin, plan
from engine.errors import BrokerError
from engine.wire.encode import encode_record

sys.path.append(str(Path(__file__).parents[1] / "deliver"))
from deliver_world import in_order, trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from subprocess import CompletedProcess

    from monitoring import Alertmanager

    from engine.model.trigger import ReviewTrigger

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

REVIEWS = 500
KILLS = 10
PARTITIONS = 4
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 (of this test)
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
FILE = """
kind: delivery
default: [hook, alerts]
---
kind: receiver
id: hook
type: webhook
url: {hook}
secrets: ["${{HOOK_SECRET}}"]
---
kind: receiver
id: alerts
type: alertmanager
url: {alertmanager}
resend: 5s
"""
LIVES = [
    ("opened",),
    ("opened", "acknowledged"),
    ("opened", "acknowledged", "resolved"),
    ("opened", "updated", "overdue", "escalated"),
    ("opened", "resolved"),
]


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker of the test's own, to be killed."""
    try:
        find_libs()
        find_java()
    except BrokerError as error:
        pytest.skip(str(error))
    with KafkaBroker(tmp_path / "kafka") as broker:
        yield broker


def lives(chance: random.Random) -> list[ReviewTrigger]:
    """The transitions of all reviews, those of each in order, mixed among each other."""
    waiting = {number: list(enumerate(LIVES[number % len(LIVES)], 1)) for number in range(REVIEWS)}
    mixed: list[ReviewTrigger] = []
    while waiting:
        number = chance.choice(list(waiting))
        ordinal, happening = waiting[number].pop(0)
        mixed.append(trigger(number, ordinal, happening))
        if not waiting[number]:
            del waiting[number]
    return mixed


def check(arrivals: Sequence[Arrival], expected: dict[str, bytes]) -> int:
    """Everything came, in order, and repeats are marked; how many there were."""
    ids = [arrival.id for arrival in arrivals]
    assert set(ids) == set(expected)
    assert in_order(ids)
    seen: set[str] = set()
    for arrival in arrivals:
        assert arrival.redelivered or arrival.id not in seen, f"{arrival.id}: a repeat that is not marked"
        assert not arrival.body or arrival.body == expected[arrival.id], "the event as it stands"
        seen.add(arrival.id)
    return len(ids) - len(seen)


def test_nothing_is_lost_when_worker_subscriber_and_broker_are_killed_again_and_again(
    own_kafka: KafkaBroker,
    prefix: str,
    tmp_path: Path,
    alertmanager: Callable[[Path], Alertmanager],
    amtool: Callable[..., CompletedProcess[str]],
):
    chance = random.Random(6)
    triggers = lives(chance)
    expected = {each.id: encode_record(each) for each in triggers}
    newest = {each.data.review: each for each in triggers}
    still_open = {review for review, each in newest.items() if each.data.state != "resolved"}
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG, "utf-8")
    server = alertmanager(config)
    TopicAdmin(own_kafka.bootstrap).create(plan(prefix, PARTITIONS))
    noted = tmp_path / "subscriber.txt"
    with Hook(SECRET) as hook:
        file = tmp_path / "delivery.yaml"
        file.write_text(FILE.format(hook=hook.url, alertmanager=server.url), "utf-8")
        settings = ["--brokers", own_kafka.bootstrap, "--prefix", prefix, "--delivery", str(file)]
        settings += ["--start-at", "earliest", "--http-port", "0", "--set", "group_instance_id=one"]
        settings += ["--set", f"measurement_partitions={PARTITIONS}", "--set", "log_format=json"]
        deliver = ["-m", "engine", "deliver", *settings]
        subscribe = ["-c", SUBSCRIBER, own_kafka.bootstrap, prefix, str(noted)]
        with (
            Program(deliver, tmp_path / "deliver.log", HOOK_SECRET=SECRET) as worker,
            Program(subscribe, tmp_path / "subscriber.log") as subscriber,
        ):
            feed = Feed(own_kafka.bootstrap, prefix, PARTITIONS, triggers)
            for _ in range(KILLS):
                before = len(hook.arrivals)
                wait_for(60, lambda before=before: len(hook.arrivals) > before, worker.tail)
                time.sleep(chance.uniform(0.0, 1.0))
                worker.kill()
                subscriber.kill()
                time.sleep(chance.uniform(0.0, 1.0))
                own_kafka.kill()
                own_kafka.start()
            feed.finish()
            wait_for(120, lambda: {each.id for each in hook.arrivals} == set(expected), worker.tail)
            wait_for(120, lambda: {each.id for each in arrivals_in(noted)} == set(expected), subscriber.tail)

            def active() -> set[str]:
                return reviews_of(amtool("--alertmanager.url", server.url, "-o", "json", "alert", "query").stdout)

            wait_for(60, lambda: active() == still_open, lambda: f"{len(active() ^ still_open)} differ")
            assert worker.stop() == 0, worker.tail()
        assert hook.refused == []
        repeats = check(hook.arrivals, expected)
    check(arrivals_in(noted), expected)
    assert repeats <= worker.starts * 8, "more repeats than were in flight"
