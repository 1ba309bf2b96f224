"""Commands go to the partition of their review, and what became of them comes back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest
from review_topics import PARTITIONS, ReviewTopics, trigger

from engine.brokers.reader import read_values
from engine.client import ReviewCommander
from engine.client.commands import command_of
from engine.errors import BrokerError, WireError
from engine.model.audit import ActivationEntry, CommandEntry
from engine.model.records import ReviewCommand
from engine.wire.encode import encode_record
from engine.wire.partition import owner

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = pytest.mark.kafka


def answering(topics: ReviewTopics, outcome: str) -> threading.Thread:
    """Somebody who reads one command and writes its entry, as stage 2 does."""

    def answer() -> None:
        for value in read_values(topics.bootstrap, f"{topics.prefix}.findings", follow=True):
            command = msgspec.json.decode(value, type=ReviewCommand)
            other = ActivationEntry("a", command.time, "ann", 1, "hash", None)
            topics.write("audit", b"hash", encode_record(other))
            topics.write("audit", b"x", b"of another version")
            entry = CommandEntry(command.id, command.time, command, outcome, "stale", "Look again.")  # type: ignore[arg-type]
            topics.write("audit", b"review", encode_record(entry))
            topics.flush()
            return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def test_a_command_is_answered(kafka: KafkaBroker, prefix: str):
    topics = ReviewTopics(kafka, prefix)
    with ReviewCommander(topics.brokers, prefix=prefix, seconds=20) as commander:
        thread = answering(topics, "refused")
        entry = commander.resolve(trigger(1, 3), "ann", "real", "A campaign.")
        thread.join(20)
    assert (entry.outcome, entry.reason, entry.sentence) == ("refused", "stale", "Look again.")
    command = entry.command
    assert (command.review, command.who, command.seen) == (trigger(1).data.review, "ann", 3)
    assert (command.action, command.verdict, command.answer) == ("resolve", "real", "A campaign.")


def test_it_stands_in_the_partition_of_its_key(kafka: KafkaBroker, prefix: str):
    topics = ReviewTopics(kafka, prefix)
    with ReviewCommander(topics.brokers, prefix=prefix, seconds=20) as commander:
        for number in range(9):
            commander.send(command_of(trigger(number), "ann", action="acknowledge"), key=f"key-{number}")
        assert commander.answers(["nobody"], 0.1) == {}
    assert len({owner(f"key-{number}".encode(), PARTITIONS) for number in range(9)}) > 1
    assert len([*read_values(topics.bootstrap, f"{prefix}.findings")]) == 9


def test_without_a_worker_it_says_that_nobody_answers(kafka: KafkaBroker, prefix: str):
    topics = ReviewTopics(kafka, prefix)
    with (
        ReviewCommander(topics.brokers, prefix=prefix, seconds=1) as commander,
        pytest.raises(BrokerError, match="is a worker running"),
    ):
        commander.acknowledge(trigger(1), "ann")


def test_a_missing_installation_is_named(kafka: KafkaBroker, prefix: str):
    with pytest.raises(BrokerError, match=f"{prefix}.findings"):
        ReviewCommander([kafka.bootstrap], prefix=prefix, seconds=1)


def test_what_is_no_command_is_refused_before_it_is_sent():
    with pytest.raises(WireError, match="expected a command"):
        command_of(trigger(1), "ann", action="shout")
