"""The workers' group: who is in it, whether every partition is somebody's, and how long records have waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.doctor.diagnosis import Diagnosis, counted, ok, problem, unknown, warning
from engine.model.time import MINUTE, SECOND
from engine.model.topics import FINDINGS, MEASUREMENTS, full_name
from engine.runtime.settings import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.doctor.facts import Facts, Group, TopicFacts
    from engine.rules.resolved.source import Source
    from engine.runtime.settings import Settings

SLACK = MINUTE
"""Beyond checkpoint_interval_max: records are committed with the checkpoint that has them."""


def judge(facts: Facts, settings: Settings, sources: Sequence[Source]) -> Iterator[Diagnosis]:
    """What to say of the group, and of each topic that it reads."""
    group = facts.group
    if group is None:
        yield unknown("lag", f"group {settings.group}", facts.troubles.get("group", "not told"))
        return
    own = [full_name(settings.prefix, topic) for topic in (MEASUREMENTS, FINDINGS)]
    read = {name: facts.topics[name] for name in (*own, *(source.topic for source in sources)) if name in facts.topics}
    left = {name: _left(topic, group.committed.get(name, {})) for name, topic in read.items()}
    yield _members(group, settings, sum(left.values()), read)
    for name in read:
        yield _topic(name, left[name], facts, settings)


def _left(topic: TopicFacts, committed: dict[int, int]) -> int:
    """Records from the committed offsets on; all that are there where nothing was committed."""
    return sum(
        partition.end - max(committed.get(number, partition.start), partition.start)
        for number, partition in enumerate(topic.partitions)
    )


def _members(group: Group, settings: Settings, left: int, read: dict[str, TopicFacts]) -> Diagnosis:
    about = f"group {settings.group}"
    if group.members is None:
        return unknown("lag", about, "this broker does not tell who is in a group")
    if not group.members:
        say = problem if left else warning
        found = "none" if not left else f"none, and {counted(left, 'record')} to take"
        return say("lag", about, expected="a worker at least", found=found, mend="start `counterpoint worker`")
    open_ = sum(len(topic.partitions) - group.assigned.get(name, 0) for name, topic in read.items())
    if group.state != "Stable" or open_:
        return warning(
            "lag",
            about,
            expected="every partition to be some worker's",
            found=f"state {group.state}, {counted(group.members, 'member')}, {counted(open_, 'partition')} nobody's",
            mend="look again in a moment: it is so after a start or an end; if it lasts, see the workers' logs",
        )
    return ok("lag", about, f"{counted(group.members, 'member')}, every partition is some worker's")


def _topic(name: str, left: int, facts: Facts, settings: Settings) -> Diagnosis:
    waited = facts.now - facts.waiting.get(name, facts.now)
    longest = settings.checkpoint_interval_max + SLACK
    if waited > longest:
        return warning(
            "lag",
            name,
            expected=f"every record taken and committed within {format_duration(longest)}",
            found=f"{counted(left, 'record')} left, the oldest for {format_duration(waited // SECOND * SECOND)}",
            mend="start more workers, up to the partitions; or see why they do not get on (/healthz, their logs)",
        )
    return ok("lag", name, f"{counted(left, 'record')} not committed yet")
