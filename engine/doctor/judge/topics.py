"""The topics: there, with the partitions that the settings name, compacted or kept as planned, with copies in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.brokers.topics import plan
from engine.doctor.diagnosis import Diagnosis, counted, ok, problem, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.brokers.topics import Topic
    from engine.doctor.facts import Facts, TopicFacts
    from engine.rules.resolved.source import Source
    from engine.runtime.settings import Settings


def judge(facts: Facts, settings: Settings, sources: Sequence[Source]) -> Iterator[Diagnosis]:
    """What to say of each own topic, and of those that sources read."""
    for planned in plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions):
        yield from _own(planned, facts)
    for source in sources:
        yield _foreign(source, facts)


def alter(topic: str, name: str, value: str) -> str:
    """The command that changes a topic's setting."""
    return f"`kafka-configs --alter --topic {topic} --add-config {name}={value}`"


def _own(planned: Topic, facts: Facts) -> Iterator[Diagnosis]:
    found = facts.topics.get(planned.name)
    if planned.name in facts.troubles:
        yield unknown("topics", planned.name, facts.troubles[planned.name])
    elif found is None:
        mend = "run `counterpoint topics`, or correct `prefix`"
        if facts.embedded:
            mend = "start `counterpoint broker` with the same settings"
        yield problem("topics", planned.name, expected="it at the broker", found="none", mend=mend)
    else:
        wrong = [*_shape(planned, found), *_copies(planned.name, found, facts), *_settings(planned, found)]
        yield from wrong or [ok("topics", planned.name, _summary(planned, found))]


def _summary(planned: Topic, found: TopicFacts) -> str:
    copies = min(partition.copies for partition in found.partitions)
    return (
        f"{counted(planned.partitions, 'partition')}, {copies} {'copy' if copies == 1 else 'copies'}, {planned.cleanup}"
    )


def _shape(planned: Topic, found: TopicFacts) -> Iterator[Diagnosis]:
    if len(found.partitions) != planned.partitions:
        yield problem(
            "topics",
            planned.name,
            expected=counted(planned.partitions, "partition"),
            found=str(len(found.partitions)),
            mend="set the partition counts to what is there, or take another prefix: a count cannot be changed under "
            "running state",
        )


def _copies(name: str, found: TopicFacts, facts: Facts) -> Iterator[Diagnosis]:
    total = len(found.partitions)
    dead = sum(not partition.leader for partition in found.partitions)
    least = int(found.config.get("min.insync.replicas", 1))
    short = sum(partition.in_sync < least for partition in found.partitions if partition.leader)
    behind = sum(partition.in_sync < partition.copies for partition in found.partitions)
    single = sum(partition.copies == 1 for partition in found.partitions)
    if dead or short:
        yield problem(
            "topics",
            name,
            expected=f"a leader and {least} of the copies in step for each partition",
            found=f"{dead} of {total} without a leader, {short} with too few in step",
            mend="bring the missing brokers back: until then nothing can be appended there",
        )
    elif behind:
        yield warning(
            "topics",
            name,
            expected="every copy in step",
            found=f"{behind} of {total} partitions with copies behind",
            mend="see which broker is down or slow",
        )
    if single and facts.brokers > 1:
        yield warning(
            "topics",
            name,
            expected=f"more than one copy, on {facts.brokers} brokers",
            found=f"{single} of {total} partitions with one",
            mend="`kafka-reassign-partitions`, or replication_factor before the topics are made",
        )


def _settings(planned: Topic, found: TopicFacts) -> Iterator[Diagnosis]:
    policy = found.config.get("cleanup.policy", planned.cleanup)
    if policy != planned.cleanup:
        lost = "state would be deleted by its age" if planned.cleanup == "compact" else "records would be thinned out"
        yield problem(
            "topics",
            planned.name,
            expected=f"cleanup.policy={planned.cleanup}",
            found=policy,
            mend=f"{alter(planned.name, 'cleanup.policy', planned.cleanup)}: {lost}",
        )
    size, wanted = (int(each.get("max.message.bytes", 0)) for each in (found.config, planned.config))
    if found.config and size < wanted:
        yield problem(
            "topics",
            planned.name,
            expected=f"max.message.bytes of at least {wanted:,}",
            found=f"{size:,}",
            mend=f"{alter(planned.name, 'max.message.bytes', str(wanted))}: a larger batch ends the worker",
        )
    if found.config.get("unclean.leader.election.enable") == "true":
        yield warning(
            "topics",
            planned.name,
            expected="unclean.leader.election.enable=false",
            found="true",
            mend=f"{alter(planned.name, 'unclean.leader.election.enable', 'false')}: a log without its end is refused",
        )


def _foreign(source: Source, facts: Facts) -> Diagnosis:
    about = f"source {source.id}"
    if source.topic in facts.troubles:
        return unknown("topics", about, facts.troubles[source.topic])
    found = facts.topics.get(source.topic)
    if found is None:
        mend = "correct the topic's name, or make it: the engine makes no topics of others"
        return problem("topics", about, expected=f"its topic {source.topic} at the broker", found="none", mend=mend)
    if not all(partition.leader for partition in found.partitions):
        mend = "bring the missing brokers back: nothing can be read there"
        return problem("topics", about, expected="a leader for each partition", found="some without", mend=mend)
    return ok("topics", about, f"{source.topic} has {counted(len(found.partitions), 'partition')}")
