"""Reviews as somebody on call finds them: triggers made by few words, and a broker that holds them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from engine.model.audit import CommandEntry
from engine.model.records import ReviewCommand
from engine.model.trigger import KpiSummary, ReviewTrigger, TriggerData, event_type
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.brokers.embedded import EmbeddedBroker

EWR, JFK, OLD = "142cc9665e12341817591ce4a12d9c71", "142cd0000e12341817591ce4a12d9c71", "5f" * 16
KPI = KpiSummary("flights.late", "Late departures", "Of all that left", "share", "lower", "ops", "quick", None)
TEXTS = {
    "opened": "41 % of flights from EWR left late, over 30 %.",
    "acknowledged": "Acknowledged by ann.",
    "overdue": "Overdue: an answer was due at 2026-03-02T12:00:00Z. 41 % of flights from EWR left late, over 30 %.",
}


def trigger(
    review: str = EWR, ordinal: int = 1, happening: str = "opened", time: str = "2026-03-02T10:00:00Z", **given: Any
) -> ReviewTrigger:
    ended = happening in {"resolved", "withdrawn"}
    data = TriggerData(
        review=review,
        ordinal=ordinal,
        rule="late-share",
        title="Too many flights leave late",
        severity="warning",
        scope='flights.late{"origin":"EWR"}',
        kpi=KPI,
        owner="ops",
        participants=(),
        objective="quick",
        opened="2026-03-02T10:00:00Z",
        due="2026-03-02T12:00:00Z",
        question="Which crews were missing?",
        runbook=None,
        explanation=TEXTS.get(happening, f"It was {happening}."),
        event_time=time,
        evidence=None,
        episode=None,
        historical=False,
        cause=None,
        rule_set="rules",
        state=happening if ended else "open",  # type: ignore[arg-type]
        alert="over" if ended else "on",
        dimensions={"origin": "EWR"},
        command_key='flights.late{"origin":"EWR"}',
        about=TEXTS["opened"],
    )
    data = msgspec.structs.replace(data, **given)
    kind = event_type(happening)  # type: ignore[arg-type]
    identifier = f"{review}-{ordinal}"
    return ReviewTrigger("1.0", identifier, "/counterpoint", kind, data.scope, time, "application/json", data)


def command(action: str, review: str = EWR, **given: Any) -> ReviewCommand:
    return ReviewCommand(f"{action}-1", review, action, "ann", "2026-03-02T10:30:00Z", **given)  # type: ignore[arg-type]


STORY = (
    trigger(),
    trigger(
        EWR, 2, "acknowledged", "2026-03-02T10:30:00Z", state="acknowledged", acknowledged_by="ann",
        moved_by=command("acknowledge"),
    ),
    trigger(EWR, 3, "overdue", "2026-03-02T12:01:00Z", state="overdue", acknowledged_by="ann", severity="critical"),
    trigger(
        JFK, 1, time="2026-03-02T11:00:00Z", dimensions={"origin": "JFK"}, due="2026-03-02T18:00:00Z", assignee="bob",
        rule="cancelled-share-high", about="One flight in ten from JFK was cancelled: 0.1, over the limit of 0.05.",
    ),
    trigger(OLD, 1, time="2026-03-01T11:00:00Z"),
    trigger(
        OLD, 2, "resolved", "2026-03-01T15:00:00Z", verdict="real", answer="two more crews",
        moved_by=command("resolve", OLD, verdict="real"),
    ),
)  # fmt: skip


def write(broker: EmbeddedBroker, topic: str, *records: msgspec.Struct) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number, record in enumerate(records):
        producer.produce(f"a.{topic}", encode_record(record), partition=number % 2 if "triggers" in topic else 0)
    producer.flush(10)


def options(broker: EmbeddedBroker, *triggers: ReviewTrigger) -> list[str]:
    """Topics that hold these; returns the options that lead there, in the time of the newest trigger."""
    broker.create_topics({"a.review-triggers": 2, "a.findings": 2, "a.audit": 1, "a.silences": 1})
    write(broker, "review-triggers", *triggers)
    return ["--brokers", broker.bootstrap, "--prefix", "a", "--set", "domain=replay"]


@contextmanager
def answering(
    broker: EmbeddedBroker, answer: Callable[[ReviewCommand], CommandEntry]
) -> Iterator[list[tuple[int, str, ReviewCommand]]]:
    """A stand-in for stage 2: answers each command on the findings topic; gives what came, with partition and key."""
    came: list[tuple[int, str, ReviewCommand]] = []
    done = threading.Event()

    def work() -> None:
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "stand-in", "log_level": 0})
        consumer.assign([TopicPartition("a.findings", number, 0) for number in range(2)])
        while not done.is_set():
            for message in consumer.consume(100, 0.1):
                found = msgspec.json.decode(message.value(), type=ReviewCommand)
                came.append((message.partition(), message.key().decode(), found))
                write(broker, "audit", answer(found))
        consumer.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield came
    finally:
        done.set()
        thread.join()


def taken(asked: ReviewCommand) -> CommandEntry:
    return CommandEntry(asked.id, "2026-03-02T12:05:00Z", asked, "accepted", trigger=f"{asked.review}-9")


def refused(asked: ReviewCommand, reason: str, sentence: str) -> CommandEntry:
    return CommandEntry(asked.id, "2026-03-02T12:05:00Z", asked, "refused", reason, sentence)
