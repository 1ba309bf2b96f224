"""From a broker to facts. What cannot be had is noted and left out: the rest is worth looking at all the same."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine.brokers.topics import TopicAdmin
from engine.doctor.cluster import Cluster
from engine.doctor.facts import Facts, Group, RuleSets, Stamp, Stored, TopicFacts
from engine.doctor.records import Records
from engine.errors import EngineError, StateError
from engine.model.records import Activate, Tick
from engine.model.time import parse_own_time
from engine.model.topics import CHECKPOINTS, CONTROL, FINDINGS, MEASUREMENTS, OWN_TOPICS, RULE_SETS, full_name
from engine.rules.ruleset import RuleSet
from engine.runtime.manifest import CLAIM_KEY, decode_manifest, parse_key
from engine.runtime.processor import stage_1_place, stage_2_place
from engine.wire.control import decode_control, is_control

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from engine.doctor.records import Seen
    from engine.model.time import Micros
    from engine.runtime.manifest import Manifest
    from engine.runtime.processor import Place
    from engine.runtime.settings import Settings

    Found = TypeVar("Found")

REACHABLE_SECONDS = 5.0
NEWEST_RECORDS = 300
"""Of a partition, where its newest manifest or tick is looked for; a manifest is then looked for before these too."""
NEWEST_TICKS = 5


def gather(settings: Settings, sources: Collection[str]) -> Facts:
    """Look at the installation that `settings` name; `sources` are the topics that its sources read.

    BrokerError when no broker answers.
    """
    bootstrap = ",".join(settings.brokers)
    admin = TopicAdmin(bootstrap, seconds=REACHABLE_SECONDS)
    with Records(bootstrap) as records:
        return _Gathering(settings, admin, Cluster(bootstrap), records).facts(sources)


class _Gathering:
    def __init__(self, settings: Settings, admin: TopicAdmin, cluster: Cluster, records: Records) -> None:
        self._settings = settings
        self._admin = admin
        self._cluster = cluster
        self._records = records
        self._troubles: dict[str, str] = {}
        self._topics: dict[str, TopicFacts] = {}

    def facts(self, sources: Collection[str]) -> Facts:
        cluster, brokers = self._cluster.itself()
        embedded = self._admin.embedded
        there = self._admin.partitions()
        for name in (*(full_name(self._settings.prefix, topic) for topic in OWN_TOPICS), *sources):
            if name in there and (topic := self._try(name, partial(self._topic, name))):
                self._topics[name] = topic
        # Now: what was appended up to the ends that were just seen is older, what comes later is not looked at.
        now = time.time_ns() // 1_000
        group = self._try("group", lambda: self._cluster.group(self._settings.group, self._inputs(sources)))
        waiting = self._try("waiting", lambda: self._waiting(group)) or {}
        stamps = self._try("stamps", self._stamps) or ()
        return Facts(
            now=now,
            cluster=cluster,
            brokers=len(brokers),
            version=None if embedded else self._try("version", self._cluster.version),
            embedded=embedded,
            limits={} if embedded else self._try("limits", lambda: self._cluster.settings(brokers[0])) or {},
            topics=self._topics,
            group=group,
            waiting=waiting,
            stamps=stamps,
            manifests=self._try("manifests", lambda: tuple(self._manifests())) or (),
            rule_sets=self._try("rule sets", self._rule_sets),
            troubles=self._troubles,
        )

    def _try(self, name: str, look: Callable[[], Found]) -> Found | None:
        try:
            return look()
        except EngineError as error:
            self._troubles[name] = str(error)
            return None

    def _topic(self, name: str) -> TopicFacts:
        return self._cluster.topic(name, self._admin.settings(name))

    def _own(self, topic: str) -> tuple[str, TopicFacts | None]:
        name = full_name(self._settings.prefix, topic)
        return name, self._topics.get(name)

    def _inputs(self, sources: Collection[str]) -> list[tuple[str, int]]:
        """Every partition that the group reads."""
        names = {full_name(self._settings.prefix, topic) for topic in (MEASUREMENTS, FINDINGS)} | set(sources)
        there = {name: topic for name, topic in self._topics.items() if name in names}
        return [(name, number) for name, topic in there.items() for number in range(len(topic.partitions))]

    # Lag and clock.

    def _waiting(self, group: Group | None) -> dict[str, Micros]:
        """When the oldest uncommitted record of each input topic was appended."""
        found: dict[str, Micros] = {}
        for name, offsets in (group.committed if group else {}).items():
            topic = self._topics.get(name)
            times = [
                seen.appended
                for partition, offset in offsets.items()
                if topic and partition < len(topic.partitions)
                for seen in self._next(name, partition, max(offset, topic.partitions[partition].start), topic)
                if seen.appended is not None
            ]
            if times:
                found[name] = min(times)
        return found

    def _next(self, name: str, partition: int, offset: int, topic: TopicFacts) -> list[Seen]:
        return self._records.between(name, partition, offset, topic.partitions[partition].end, 1)

    def _stamps(self) -> tuple[Stamp, ...]:
        stamps = (self._stamp(*self._own(topic)) for topic in (MEASUREMENTS, FINDINGS))
        return tuple(stamp for stamp in stamps if stamp)

    def _stamp(self, name: str, topic: TopicFacts | None) -> Stamp | None:
        """Of all partitions, because each may be another worker's."""
        partitions = enumerate(topic.partitions if topic else ())
        seen = [self._newest(name, number, each.start, each.end) for number, each in partitions]
        appended = [each.appended for records in seen for each in records if each.appended is not None]
        if not appended:
            return None
        ticks = [_ticks(records)[-NEWEST_TICKS:] for records in seen]
        return Stamp(
            name,
            max(appended),
            ticked=max((at for each in ticks for _, at in each), default=None),
            # One tick alone tells nothing: at an acquisition it waits for the recovery.
            late=tuple(min(at - told for told, at in each) for each in ticks if len({told for told, _ in each}) > 1),
        )

    def _newest(self, name: str, partition: int, start: int, end: int) -> list[Seen]:
        return self._records.between(name, partition, max(start, end - NEWEST_RECORDS), end)

    # State.

    def _manifests(self) -> Iterator[Stored]:
        name, topic = self._own(CHECKPOINTS)
        places = [stage_1_place(number) for number in range(self._settings.measurement_partitions)]
        places += [stage_2_place(number, len(places)) for number in range(self._settings.finding_partitions)]
        for place in places:
            if topic is not None and place.checkpoint_partition < len(topic.partitions):
                partition = topic.partitions[place.checkpoint_partition]
                yield from self._manifest(place, name, partition.start, partition.end)

    def _manifest(self, place: Place, name: str, start: int, end: int) -> Iterator[Stored]:
        first = max(start, end - NEWEST_RECORDS)
        where = f"{CHECKPOINTS}[{place.checkpoint_partition}]"
        seen = self._records.between(name, place.checkpoint_partition, first, end)
        try:
            found = _newest_manifest(seen, where)
            if found is None and first > start:
                seen = self._records.between(name, place.checkpoint_partition, start, first)
                found = _newest_manifest(seen, where)
        except StateError as error:
            yield Stored(str(place), place.topic, place.partition, None, str(error))
            return
        if found is not None:
            yield Stored(str(place), place.topic, place.partition, found)

    def _rule_sets(self) -> RuleSets | None:
        (sets_name, sets), (control_name, control) = self._own(RULE_SETS), self._own(CONTROL)
        if sets is None or control is None:
            return None
        stored = {
            (seen.key or b"").decode(errors="replace"): _trouble_of(seen)
            for seen in self._all(sets_name, sets)
            if seen.value is not None
        }
        requests = self._all(control_name, control)
        requested = msgspec.json.decode(requests[-1].value or b"", type=Activate).hash if requests else None
        return RuleSets(stored, requested, requests_lost=control.partitions[0].start > 0)

    def _all(self, name: str, topic: TopicFacts) -> list[Seen]:
        [partition, *_] = topic.partitions
        return self._records.between(name, 0, partition.start, partition.end)


def _ticks(records: Iterable[Seen]) -> list[tuple[Micros, Micros]]:
    """The live ticks among them: the time that each tells, and when it was appended."""
    found = []
    for seen in records:
        if seen.appended is not None and is_control(seen.headers):
            record = decode_control(seen.value)
            if isinstance(record, Tick) and record.domain == "live":
                found.append((parse_own_time(record.time), seen.appended))
    return found


def _newest_manifest(seen: Iterable[Seen], where: str) -> Manifest | None:
    """That of the highest term."""
    values = {
        parse_key(each.key, where).term: each.value
        for each in seen
        if each.key not in {None, CLAIM_KEY} and each.key is not None and parse_key(each.key, where).page is None
    }
    held = {term: value for term, value in values.items() if value is not None}
    return decode_manifest(held[max(held)], where) if held else None


def _trouble_of(seen: Seen) -> str:
    try:
        rule_set = RuleSet.decode(seen.value or b"")
    except msgspec.MsgspecError as error:
        return str(error)
    return "" if rule_set.hash.encode() == seen.key else f"its hash is {rule_set.hash}"
