"""The engine's own topics at the broker: what they must be, made, checked and deleted.

Only the exact names of a plan are ever made or deleted; the engine writes to no other topic.
Library: confluent-kafka's AdminClient, because it is synchronous, kept up to date, and names errors per topic.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from engine.brokers.reachable import wait_until_reachable
from engine.errors import BrokerError
from engine.model.time import MILLISECOND
from engine.model.topics import (
    AUDIT,
    CHECKPOINTS,
    CONTROL,
    DEAD_LETTERS,
    DELIVERIES,
    FINDINGS,
    KPI_STATE,
    MEASUREMENTS,
    MEASUREMENTS_KEPT,
    RULE_SETS,
    SHADOW_TRIGGERS,
    SILENCES,
    TRIGGERS,
    full_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from confluent_kafka.admin._metadata import ClusterMetadata

MESSAGE_BYTES_MAX = 8 * 1024 * 1024
"""The largest record batch that an own topic takes."""

_DAY_MS = 24 * 60 * 60 * 1_000
_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
_MOCK_CLUSTER = "mockCluster"  # how the cluster id of librdkafka's mock cluster begins
_LEGAL = re.compile(r"[a-zA-Z0-9._-]{0,180}")


class Topic(NamedTuple):
    """One own topic: its name at the broker, its partitions, and the settings that differ from a broker's defaults."""

    name: str
    partitions: int
    config: Mapping[str, str]

    @property
    def cleanup(self) -> str:
        """`delete` or `compact`."""
        return self.config["cleanup.policy"]

    @property
    def kept(self) -> str:
        """How long records stay, for people."""
        if self.cleanup == "compact":
            return "newest a key"
        retention = int(self.config["retention.ms"])
        return "for ever" if retention < 0 else f"{retention // _DAY_MS} days"


def plan(prefix: str, measurements: int, findings: int | None = None) -> tuple[Topic, ...]:
    """The topics of an installation with that many partitions of measurements and of findings (default: as many).

    BrokerError when prefix or counts cannot be used.
    """
    findings = measurements if findings is None else findings
    if not _LEGAL.fullmatch(prefix):
        raise BrokerError(f"expected a topic prefix of letters, digits, `.`, `_` and `-`, found {prefix!r}")
    for name, count in (("measurements", measurements), ("findings", findings)):
        if count < 1:
            raise BrokerError(f"expected at least 1 partition of {name}, found {count}")
    year = 365 * _DAY_MS
    return (
        Topic(full_name(prefix, MEASUREMENTS), measurements, _kept(MEASUREMENTS_KEPT // MILLISECOND)),
        Topic(full_name(prefix, FINDINGS), findings, _kept(90 * _DAY_MS)),
        Topic(full_name(prefix, TRIGGERS), findings, _kept(2 * year)),
        Topic(full_name(prefix, SHADOW_TRIGGERS), findings, _kept(90 * _DAY_MS)),
        Topic(full_name(prefix, DEAD_LETTERS), 1, _kept(90 * _DAY_MS)),
        Topic(full_name(prefix, KPI_STATE), measurements, _compacted()),
        Topic(full_name(prefix, CHECKPOINTS), measurements + findings, _compacted()),
        Topic(full_name(prefix, RULE_SETS), 1, _compacted()),
        Topic(full_name(prefix, CONTROL), 1, _kept(-1)),
        Topic(full_name(prefix, AUDIT), 1, _kept(-1)),
        Topic(full_name(prefix, SILENCES), 1, _compacted()),
        Topic(full_name(prefix, DELIVERIES), 1, _compacted()),
    )


def _kept(retention_ms: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(retention_ms), **_every_topic()}


def _compacted() -> dict[str, str]:
    # Small segments: the cleaner leaves the one being written alone, and recovery reads what is not cleaned.
    return {
        "cleanup.policy": "compact",
        "segment.bytes": str(64 * 1024 * 1024),
        "min.cleanable.dirty.ratio": "0.2",
        **_every_topic(),
    }


def _every_topic() -> dict[str, str]:
    # LogAppendTime: records of last year that are sent today are kept from today on, not deleted as a year old.
    return {
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "producer",
    }


class TopicAdmin:
    """Makes, checks and deletes the topics of a plan at the broker `bootstrap`.

    Every method raises BrokerError when the broker cannot be reached or refuses.
    """

    def __init__(self, bootstrap: str, *, seconds: float = _SECONDS) -> None:
        wait_until_reachable(bootstrap, seconds)
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    @property
    def embedded(self) -> bool:
        """Whether it is an embedded broker: it makes and describes no topics."""
        return str(self._listing().cluster_id).startswith(_MOCK_CLUSTER)

    def partitions(self) -> dict[str, int]:
        """Every topic of the broker with its number of partitions."""
        topics = self._listing().topics
        return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}

    def _listing(self) -> ClusterMetadata:
        try:
            return self._admin.list_topics(timeout=_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"the broker at {self._bootstrap} does not list its topics: {error}") from error

    def create(self, topics: Sequence[Topic], *, replication: int = -1) -> list[str]:
        """Make those that are missing and check the others; returns the names made.

        `replication` -1: as many copies as the broker makes by default.
        """
        there = self.partitions()
        missing = [topic for topic in topics if topic.name not in there]
        if missing and self.embedded:
            raise BrokerError(
                "the embedded broker makes topics only when it starts; "
                f"expected there: {', '.join(topic.name for topic in missing)}; "
                "start `counterpoint broker` with the same prefix and partition counts"
            )
        new = [NewTopic(each.name, each.partitions, replication, config=dict(each.config)) for each in missing]
        if new:
            _settle(self._admin.create_topics(new, operation_timeout=_SECONDS), "made", KafkaError.TOPIC_ALREADY_EXISTS)
            self._wait(lambda: self._answer(missing))
        self.verify(topics)
        return [topic.name for topic in missing]

    def _wait(self, settled: Callable[[], bool]) -> None:
        """A broker lists what its controller did a moment later; what has not come by then is the caller's to name."""
        deadline = time.monotonic() + _SECONDS
        while not settled() and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)

    def _answer(self, topics: Sequence[Topic]) -> bool:
        """Whether every partition is led: it is listed a moment before its leader knows that it is one."""
        if not {topic.name for topic in topics} <= self.partitions().keys():
            return False
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library's own
        places = {TopicPartition(each.name, number): latest for each in topics for number in range(each.partitions)}
        asked = self._admin.list_offsets(places, request_timeout=_SECONDS)
        return all(future.exception() is None for future in asked.values())

    def verify(self, topics: Sequence[Topic]) -> None:
        """Check that the topics are there as planned; BrokerError names each that is not, and how to mend it."""
        there = self.partitions()
        configs = self._configs([topic.name for topic in topics if topic.name in there])
        problems = [problem for topic in topics for problem in _problems(topic, there, configs.get(topic.name))]
        if problems:
            raise BrokerError("\n".join(problems))

    def delete(self, topics: Sequence[Topic]) -> list[str]:
        """Delete those of the plan that are there, and no other; returns their names."""
        there = self.partitions()
        names = [topic.name for topic in topics if topic.name in there]
        if names and self.embedded:
            raise BrokerError("the embedded broker deletes no topics; it forgets them when it stops")
        if names:
            _settle(
                self._admin.delete_topics(names, operation_timeout=_SECONDS),
                "deleted",
                KafkaError.UNKNOWN_TOPIC_OR_PART,
            )
            self._wait(lambda: not self.partitions().keys() & set(names))
        return names

    def settings(self, name: str) -> dict[str, str]:
        """The settings of one topic; empty where the broker tells none (the embedded one)."""
        return self._configs([name]).get(name, {})

    def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Settings by topic; empty for a broker that tells none (the embedded one)."""
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources or self.embedded:
            return {}
        found: dict[str, dict[str, str]] = {}
        for resource, future in self._admin.describe_configs(resources, request_timeout=_SECONDS).items():
            try:
                entries = future.result()
            except KafkaException as error:
                raise BrokerError(f"the settings of topic {resource.name!r} cannot be read: {error}") from error
            found[resource.name] = {name: entry.value for name, entry in entries.items()}
        return found


def _settle(futures: Mapping[str, Future[None]], done: str, harmless: int) -> None:
    """Wait for all; `harmless` is what it says when somebody else did the same at that moment."""
    problems = []
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != harmless:
                problems.append(f"topic {name!r} cannot be {done}: {error.args[0].str()}")
    if problems:
        raise BrokerError("\n".join(problems))


def _problems(topic: Topic, there: Mapping[str, int], config: Mapping[str, str] | None) -> list[str]:
    if topic.name not in there:
        return [f"topic {topic.name!r}: expected it at the broker, found none; run `counterpoint topics` to make it"]
    problems = []
    if there[topic.name] != topic.partitions:
        problems.append(
            f"topic {topic.name!r}: expected {topic.partitions} partitions, found {there[topic.name]}; set the "
            "partition counts to what is there, or take another prefix (a count cannot be changed under running state)"
        )
    if config and config.get("cleanup.policy") != topic.cleanup:
        problems.append(
            f"topic {topic.name!r}: expected cleanup.policy={topic.cleanup}, found "
            f"{config.get('cleanup.policy')}; set it with `kafka-configs --alter --topic {topic.name} "
            f"--add-config cleanup.policy={topic.cleanup}`"
        )
    return problems
