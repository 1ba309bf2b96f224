"""A broker of either kind with the topics of a plan of one measurements and two findings partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.topics import TopicAdmin, plan

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker


class Place(NamedTuple):
    """Where the topics are."""

    bootstrap: str
    prefix: str


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def place(request: pytest.FixtureRequest, prefix: str) -> Place:
    broker: EmbeddedBroker | KafkaBroker = request.getfixturevalue(request.param)
    topics = plan(prefix, 1, 2)
    if isinstance(broker, EmbeddedBroker):
        broker.create_topics({topic.name: topic.partitions for topic in topics})
    else:
        TopicAdmin(broker.bootstrap).create(topics)
    return Place(broker.bootstrap, prefix)
