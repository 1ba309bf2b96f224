"""Which topic it really is: cluster id and topic id, that a topic made anew under the same name does not share.

Library: confluent-kafka's AdminClient, because aiokafka's metadata requests are too old to carry topic ids.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from engine.errors import BrokerError, LogError

_SECONDS = 30.0
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"  # sixteen zeros: a broker that knows no topic ids


class TopicIdentity(NamedTuple):
    """A topic as the broker knows it now. `id` is its name where the broker gives topics no ids."""

    cluster: str
    id: str
    partitions: int

    def __str__(self) -> str:
        return f"{self.cluster}/{self.id}"


class TopicIdentities:
    """Asks the broker at `bootstrap` for topics."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._asked: dict[str, asyncio.Future[TopicIdentity]] = {}

    async def of(self, name: str) -> TopicIdentity:
        """The topic of that full name; LogError when there is none, BrokerError when the broker does not say.

        Who asks while an answer to the same question is on its way gets that one.
        """
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.ensure_future(self._ask(name))
            asked.add_done_callback(lambda _: self._asked.pop(name))
        return await asyncio.shield(asked)

    async def _ask(self, name: str) -> TopicIdentity:
        try:
            cluster = asyncio.wrap_future(self._admin.describe_cluster(request_timeout=_SECONDS))
            asked = self._admin.describe_topics(TopicCollection([name]), request_timeout=_SECONDS)[name]
            cluster_id, topic = (await cluster).cluster_id, await asyncio.wrap_future(asked)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise LogError(
                    f"there is no topic {name} at {self._bootstrap}; `counterpoint topics` makes it"
                ) from error
            raise BrokerError(f"the broker at {self._bootstrap} does not describe topic {name}: {error}") from error
        topic_id = str(topic.topic_id)
        return TopicIdentity(str(cluster_id), name if topic_id == _NO_ID else topic_id, len(topic.partitions))
