from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.topics import TopicAdmin, plan
from engine.errors import BrokerError

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker


def counts(topics: TopicAdmin, prefix: str) -> dict[str, int]:
    return {name: count for name, count in topics.partitions().items() if name.startswith(prefix)}


def test_a_plan_has_a_partition_of_checkpoints_for_each_partition_of_both_stages() -> None:
    assert {topic.name: topic.partitions for topic in plan("acme", 4, 2)} == {
        "acme.measurements": 4,
        "acme.findings": 2,
        "acme.review-triggers": 2,
        "acme.shadow-triggers": 2,
        "acme.dead-letters": 1,
        "acme.kpi-state": 4,
        "acme.checkpoints": 6,
        "acme.rule-sets": 1,
        "acme.control": 1,
        "acme.audit": 1,
        "acme.silences": 1,
        "acme.deliveries": 1,
    }


def test_findings_have_as_many_partitions_as_measurements_by_default() -> None:
    assert plan("acme", 3) == plan("acme", 3, 3)


def test_state_is_compacted_and_the_rest_is_kept() -> None:
    compacted = {topic.name for topic in plan("acme", 1) if topic.cleanup == "compact"}
    assert compacted == {"acme.kpi-state", "acme.checkpoints", "acme.rule-sets", "acme.silences", "acme.deliveries"}


@pytest.mark.parametrize(("prefix", "measurements"), [("a b", 1), ("ok", 0), ("x" * 181, 1)])
def test_a_plan_that_cannot_be_is_refused(prefix: str, measurements: int) -> None:
    with pytest.raises(BrokerError, match="expected"):
        plan(prefix, measurements)


def test_the_embedded_broker_has_the_topics_that_it_was_given(embedded: EmbeddedBroker) -> None:
    topics = plan("acme", 3, 2)
    embedded.create_topics({topic.name: topic.partitions for topic in topics})
    admin = TopicAdmin(embedded.bootstrap)
    admin.verify(topics)
    assert counts(admin, "acme.") == {topic.name: topic.partitions for topic in topics}


def test_a_topic_with_other_partitions_is_refused_on_the_embedded_broker(embedded: EmbeddedBroker) -> None:
    embedded.create_topics({topic.name: topic.partitions for topic in plan("acme", 3, 2)})
    with pytest.raises(BrokerError, match=r"'acme\.measurements': expected 4 partitions, found 3"):
        TopicAdmin(embedded.bootstrap).verify(plan("acme", 4, 2))


def test_the_embedded_broker_says_that_it_makes_topics_only_at_its_start(embedded: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match="counterpoint broker"):
        TopicAdmin(embedded.bootstrap).create(plan("acme", 1))


@pytest.mark.kafka
def test_topics_are_made_once_and_found_as_planned(kafka: KafkaBroker, prefix: str) -> None:
    admin = TopicAdmin(kafka.bootstrap)
    topics = plan(prefix, 2, 3)
    assert admin.create(topics) == [topic.name for topic in topics]
    assert admin.create(topics) == []
    assert counts(admin, prefix) == {topic.name: topic.partitions for topic in topics}


@pytest.mark.kafka
def test_missing_topics_are_named_with_the_way_to_make_them(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(BrokerError, match="counterpoint topics"):
        TopicAdmin(kafka.bootstrap).verify(plan(prefix, 1))


@pytest.mark.kafka
def test_another_cleanup_policy_is_refused_with_both_and_the_mend(kafka: KafkaBroker, prefix: str) -> None:
    admin = TopicAdmin(kafka.bootstrap)
    topics = plan(prefix, 1)
    swapped = [topic._replace(config={"cleanup.policy": "delete"}) for topic in topics]
    admin.create(swapped)
    with pytest.raises(BrokerError, match=r"checkpoints': expected cleanup.policy=compact, found delete; set it with"):
        admin.create(topics)


@pytest.mark.kafka
def test_only_the_exact_topics_of_the_plan_are_deleted(kafka: KafkaBroker, prefix: str) -> None:
    admin = TopicAdmin(kafka.bootstrap)
    admin.create(plan(prefix, 1))
    neighbours = plan(f"{prefix}.findings", 1)
    admin.create(neighbours)
    assert admin.delete(plan(prefix, 1)) == [topic.name for topic in plan(prefix, 1)]
    admin.verify(neighbours)
    assert set(counts(admin, prefix)) == {topic.name for topic in neighbours}


@pytest.mark.kafka
def test_old_records_are_kept_from_the_day_they_are_sent(kafka: KafkaBroker, prefix: str) -> None:
    TopicAdmin(kafka.bootstrap).create(plan(prefix, 1))
    settings = TopicAdmin(kafka.bootstrap).settings(f"{prefix}.measurements")
    assert settings["message.timestamp.type"] == "LogAppendTime"


def test_a_broker_that_does_not_answer_is_named() -> None:
    with EmbeddedBroker() as broker:
        gone = broker.bootstrap
    with pytest.raises(BrokerError, match=gone):
        TopicAdmin(gone, seconds=1)
