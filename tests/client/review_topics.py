"""Triggers on the topics of an installation at a real broker, without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from engine.brokers.topics import TopicAdmin, plan
from engine.model.identity import digest
from engine.model.trigger import ReviewTrigger, TriggerData, event_type
from engine.wire.encode import encode_record
from engine.wire.partition import owner

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

PARTITIONS = 3
TIME = "2026-01-05T10:00:00Z"


def trigger(number: int, ordinal: int = 1, happening: str = "opened", **fields: Any) -> ReviewTrigger:
    """The `ordinal`-th transition of review `number`."""
    review = digest("review", number)
    values: dict[str, Any] = {
        "review": review, "ordinal": ordinal, "rule": "late", "title": "Late", "severity": "warning",
        "scope": f'delay{{"origin":"O{number}"}}', "kpi": None, "owner": "ops", "participants": (), "objective": None,
        "opened": TIME, "due": None, "question": None, "runbook": None, "explanation": f"Review {number}.",
        "event_time": TIME, "evidence": None, "episode": None, "historical": False, "cause": None, "rule_set": "r",
        "dimensions": {"origin": f"O{number}"}, "command_key": f"delay{number}", "about": f"About {number}.",
    }  # fmt: skip
    data = TriggerData(**{**values, **fields})
    return ReviewTrigger(
        "1.0", f"{review}-{ordinal}", "/counterpoint", event_type(happening), data.scope, TIME, "application/json", data
    )  # type: ignore[arg-type]


class ReviewTopics:
    """The topics under `prefix`."""

    def __init__(self, kafka: KafkaBroker, prefix: str) -> None:
        TopicAdmin(kafka.bootstrap).create(plan(prefix, PARTITIONS))
        self.bootstrap, self.prefix = kafka.bootstrap, prefix
        self.brokers = [kafka.bootstrap]
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "log_level": 0})

    def tell(self, *triggers: ReviewTrigger) -> None:
        for each in triggers:
            self.write("review-triggers", each.data.review.encode(), encode_record(each))
        self._producer.flush(20)

    def write(self, topic: str, key: bytes, value: bytes) -> None:
        count = 1 if topic == "audit" else PARTITIONS
        self._producer.produce(f"{self.prefix}.{topic}", value, key, owner(key, count))

    def flush(self) -> None:
        self._producer.flush(20)
