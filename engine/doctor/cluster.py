"""What the broker says of itself, its topics and the workers' group.

Libraries: confluent-kafka's AdminClient, as everywhere in these commands; kafka-python's for the version, which it
alone tells.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError as PythonKafkaError

from engine.doctor.facts import Group, Partition, TopicFacts
from engine.errors import BrokerError
from engine.runtime.topic_identity import TopicIdentities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

_SECONDS = 20.0
_PAUSE_SECONDS = 0.3
_PASSING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
}
"""A coordinator that is being made or moved: asked again."""


class Cluster:
    """Asks the broker at `bootstrap`, which is there. Every method raises BrokerError when it does not say."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def itself(self) -> tuple[str, list[int]]:
        """Its id, and the ids of its brokers."""
        found = self._result(lambda: self._admin.describe_cluster(request_timeout=_SECONDS))
        return str(found.cluster_id), [node.id for node in found.nodes]

    def version(self) -> tuple[int, ...]:
        """The newest version of Apache Kafka whose protocol it speaks."""
        try:
            admin = KafkaAdminClient(bootstrap_servers=self._bootstrap.split(","), bootstrap_timeout_ms=10_000)
            try:
                [broker, *_] = self.itself()[1]
                return tuple(admin.get_broker_version_data(broker).broker_version)
            finally:
                admin.close()
        except PythonKafkaError as error:
            raise BrokerError(f"the broker does not tell its version: {error}") from error

    def settings(self, broker: int) -> dict[str, str]:
        """The settings of one broker."""
        resource = ConfigResource(ResourceType.BROKER, str(broker))
        found = self._result(lambda: self._admin.describe_configs([resource], request_timeout=_SECONDS)[resource])
        return {name: entry.value for name, entry in found.items() if entry.value is not None}

    def topic(self, name: str, config: dict[str, str]) -> TopicFacts:
        """One topic, which is there."""
        identity = asyncio.run(TopicIdentities(self._bootstrap).of(name))
        wanted = TopicCollection([name])
        found = self._result(lambda: self._admin.describe_topics(wanted, request_timeout=_SECONDS)[name])
        places = [(name, each.id) for each in found.partitions if each.leader is not None]
        starts = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        partitions = tuple(
            Partition(
                leader=each.leader is not None,
                copies=len(each.replicas),
                in_sync=len(each.isr),
                start=starts.get(each.id, 0),
                end=ends.get(each.id, 0),
            )
            for each in sorted(found.partitions, key=lambda each: each.id)
        )
        return TopicFacts(str(identity), partitions, config)

    def _offsets(self, places: Sequence[tuple[str, int]], which: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(*place): which for place in places}
        futures = self._admin.list_offsets(asked, request_timeout=_SECONDS) if asked else {}
        return {place.partition: self._offset(future) for place, future in futures.items()}

    def _offset(self, future: Future[Any]) -> int:
        return int(self._result(lambda: future).offset)

    def group(self, name: str, places: Iterable[tuple[str, int]]) -> Group:
        """The consumer group, and what it has committed of `places`; one that was never there has neither."""
        # A consumer that does not join: the admin client's listing crashes where there is no coordinator yet.
        asking = Consumer({"bootstrap.servers": self._bootstrap, "group.id": name, "log_level": 0})
        asked = [TopicPartition(*place) for place in places]
        try:
            found = self._patiently(lambda: asking.committed(asked, timeout=_SECONDS) if asked else [])
        finally:
            asking.close()
        committed: dict[str, dict[int, int]] = {}
        for place in found:
            if place.offset >= 0:
                committed.setdefault(place.topic, {})[place.partition] = place.offset
        return self._with_members(name, committed)

    def _with_members(self, name: str, committed: dict[str, dict[int, int]]) -> Group:
        try:
            found = self._result(lambda: self._admin.describe_consumer_groups([name], request_timeout=_SECONDS)[name])
        except BrokerError as error:
            code = getattr(error.__cause__, "args", [None])[0]
            if isinstance(code, KafkaError) and code.code() == KafkaError.GROUP_ID_NOT_FOUND:
                return Group("Dead", 0, {}, committed)
            if isinstance(code, KafkaError) and code.code() == KafkaError._UNSUPPORTED_FEATURE:  # noqa: SLF001 (its public name)
                return Group("unknown", None, {}, committed)
            raise
        assigned: dict[str, int] = {}
        for member in found.members:
            for place in member.assignment.topic_partitions if member.assignment else ():
                assigned[place.topic] = assigned.get(place.topic, 0) + 1
        return Group(found.state.name.capitalize(), len(found.members), assigned, committed)

    def _result(self, ask: Callable[[], Future[Any]]) -> Any:  # noqa: ANN401 (the library's answers have no types)
        return self._patiently(lambda: ask().result())

    def _patiently(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 (the same)
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                    raise BrokerError(f"the broker does not say: {error.args[0].str()}") from error
            time.sleep(_PAUSE_SECONDS)
