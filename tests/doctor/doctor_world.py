"""A sound installation as facts, and faults planted in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from engine import SEMANTICS_VERSION
from engine.brokers.topics import plan
from engine.doctor.examine import judge
from engine.doctor.facts import Facts, Group, Partition, RuleSets, Stamp, Stored, TopicFacts
from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.rules.resolved.source import Source
from engine.rules.ruleset import RuleSet
from engine.runtime.manifest import Manifest
from engine.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.doctor.diagnosis import Diagnosis

NOW = 1_790_000_000 * SECOND
SETTINGS = Settings.model_validate({"prefix": "acme", "measurement_partitions": 2, "finding_partitions": 1})
SOURCE = Source(id="crm", topic="crm.tickets", mappings=())
RULES = RuleSet(owners=(), objectives=(), kpis=(), rules=(), sources=(SOURCE,), zones={})
OTHER = "0123456789abcdef"
COUNTS = {"measurements": 2, "findings": 1}


def _topic(name: str, partitions: int, config: dict[str, str]) -> TopicFacts:
    one = Partition(leader=True, copies=3, in_sync=3, start=0, end=1_000)
    return TopicFacts(f"cluster/{name}", (one,) * partitions, {"min.insync.replicas": "2", **config})


def _manifest(topic: str, term: int) -> Manifest:
    return Manifest(
        term=term,
        epoch=7,
        offset=989,
        rule_set=RULES.hash,
        semantics=SEMANTICS_VERSION,
        identity=f"cluster/acme.{topic}",
        counts=COUNTS,
        activation=0,
        pages=(),
    )


SOUND = Facts(
    now=NOW,
    cluster="cluster",
    brokers=3,
    version=(4, 2),
    embedded=False,
    limits={"group.min.session.timeout.ms": "6000", "group.max.session.timeout.ms": "1800000"},
    topics={
        **{topic.name: _topic(topic.name, topic.partitions, dict(topic.config)) for topic in plan("acme", 2, 1)},
        "crm.tickets": _topic("crm.tickets", 1, {"cleanup.policy": "delete", "retention.ms": "604800000"}),
    },
    group=Group(
        "Stable",
        2,
        {"acme.measurements": 2, "acme.findings": 1, "crm.tickets": 1},
        {"acme.measurements": {0: 990, 1: 990}, "acme.findings": {0: 990}, "crm.tickets": {0: 1_000}},
    ),
    waiting={"acme.measurements": NOW - 20 * SECOND, "acme.findings": NOW - 20 * SECOND},
    stamps=(
        Stamp("acme.measurements", NOW - 4 * SECOND, NOW - 4 * SECOND, (SECOND, SECOND)),
        Stamp("acme.findings", NOW - 4 * SECOND, NOW - 4 * SECOND, (0,)),
    ),
    manifests=(
        Stored("measurements[0]", "measurements", 0, _manifest("measurements", 12)),
        Stored("measurements[1]", "measurements", 1, _manifest("measurements", 15)),
        Stored("findings[0]", "findings", 0, _manifest("findings", 9)),
    ),
    rule_sets=RuleSets({RULES.hash: ""}, RULES.hash),
)


def topic(name: str, **changes: Any) -> Facts:
    """One topic otherwise: `config` is added to what it has, None takes it away from the broker."""
    found = SOUND.topics[name]
    changes["config"] = {**found.config, **changes.get("config", {})}
    return replace(SOUND, topics={**SOUND.topics, name: replace(found, **changes)})


def partition(name: str, **changes: Any) -> Facts:
    """The first partition of a topic otherwise."""
    first, *others = SOUND.topics[name].partitions
    return topic(name, partitions=(replace(first, **changes), *others))


def group(**changes: Any) -> Facts:
    assert SOUND.group is not None
    return replace(SOUND, group=replace(SOUND.group, **changes))


def manifests(**changes: Any) -> Facts:
    """All of them otherwise."""
    return replace(
        SOUND,
        manifests=tuple(
            replace(each, manifest=replace(each.manifest, **changes)) for each in SOUND.manifests if each.manifest
        ),
    )


def ticked(late: int, ago: int) -> Facts:
    """The newest ticks of one of two partitions were appended so late, the newest of all so long ago."""
    return replace(SOUND, stamps=(Stamp("acme.measurements", NOW - ago, NOW - ago, (SECOND, late)),))


def without(name: str) -> Facts:
    return replace(SOUND, topics={key: value for key, value in SOUND.topics.items() if key != name})


def embedded() -> Facts:
    topics = {name: replace(found, config={}) for name, found in SOUND.topics.items()}
    group = replace(SOUND.group, members=None, assigned={}, state="unknown")
    return replace(
        SOUND, cluster="mockCluster1", embedded=True, brokers=1, version=None, limits={}, topics=topics, group=group
    )


def unsaid() -> Facts:
    """A broker that lets us see next to nothing."""
    said = "the broker does not say: Broker: Group authorization failed"
    names = ("version", "group", "waiting", "stamps", "manifests", "rule sets", "acme.findings", "crm.tickets")
    return replace(
        without("acme.findings"),
        version=None,
        limits={},
        group=None,
        waiting={},
        stamps=(),
        manifests=(),
        rule_sets=None,
        troubles=dict.fromkeys(names, said),
    )


_BROKEN = tuple(
    Stored(each.place, each.topic, each.partition, None, "manifest format 1 was expected, found 2")
    for each in SOUND.manifests
)

FACTS: dict[str, Callable[[], Facts]] = {
    "sound": lambda: SOUND,
    "embedded_broker": embedded,
    "broker_that_says_little": unsaid,
    "broker_without_topic_ids": lambda: replace(SOUND, version=(2, 6)),
    "session_timeout_out_of_bounds": lambda: replace(
        SOUND, limits={"group.min.session.timeout.ms": "45000", "group.max.session.timeout.ms": "300000"}
    ),
    "topic_missing": lambda: without("acme.findings"),
    "topic_of_a_source_missing": lambda: without("crm.tickets"),
    "partitions_other_than_set": lambda: topic(
        "acme.findings", partitions=SOUND.topics["acme.measurements"].partitions
    ),
    "partition_without_a_leader": lambda: partition("acme.findings", leader=False, in_sync=0),
    "source_without_a_leader": lambda: partition("crm.tickets", leader=False),
    "too_few_copies_in_step": lambda: partition("acme.measurements", in_sync=1),
    "copies_behind": lambda: partition("acme.measurements", in_sync=2),
    "one_copy_on_three_brokers": lambda: partition("acme.control", copies=1, in_sync=1),
    "state_deleted_by_age": lambda: topic("acme.checkpoints", config={"cleanup.policy": "compact,delete"}),
    "measurements_compacted": lambda: topic("acme.measurements", config={"cleanup.policy": "compact"}),
    "batches_kept_small": lambda: topic("acme.checkpoints", config={"max.message.bytes": "1048588"}),
    "unclean_election": lambda: topic("acme.findings", config={"unclean.leader.election.enable": "true"}),
    "kept_for_a_week": lambda: topic("acme.measurements", config={"retention.ms": str(7 * DAY // 1_000)}),
    "kept_for_an_hour": lambda: topic("acme.measurements", config={"retention.ms": str(HOUR // 1_000)}),
    "requests_not_kept_for_ever": lambda: topic("acme.control", config={"retention.ms": str(365 * DAY // 1_000)}),
    "times_of_the_sender": lambda: topic("acme.measurements", config={"message.timestamp.type": "CreateTime"}),
    "limit_in_bytes": lambda: topic("acme.measurements", config={"retention.bytes": "1073741824"}),
    "deleted_unread": lambda: partition("crm.tickets", start=1_100, end=1_200),
    "soon_deleted_unread": lambda: replace(SOUND, waiting={"crm.tickets": NOW - 5 * DAY}),
    "broker_ahead": lambda: replace(SOUND, stamps=(Stamp("acme.measurements", NOW + 90 * SECOND),)),
    "workers_behind_the_broker": lambda: ticked(late=5 * MINUTE, ago=4 * SECOND),
    "workers_ahead_of_the_broker": lambda: ticked(late=-5 * MINUTE, ago=4 * SECOND),
    "no_tick_for_minutes": lambda: ticked(late=SECOND, ago=5 * MINUTE),
    "nothing_written_yet": lambda: replace(SOUND, stamps=()),
    "no_worker": lambda: group(
        state="Empty",
        members=0,
        assigned={},
        committed={name: {0: 1_000, 1: 1_000} for name in ("acme.measurements", "acme.findings", "crm.tickets")},
    ),
    "no_worker_and_records_to_take": lambda: group(state="Empty", members=0, assigned={}),
    "rebalancing": lambda: group(state="Preparing_rebalance", assigned={}),
    "partition_of_nobody": lambda: group(assigned={"acme.measurements": 1, "acme.findings": 1, "crm.tickets": 1}),
    "lag_of_minutes": lambda: replace(SOUND, waiting={"acme.measurements": NOW - 10 * MINUTE}),
    "checkpoints_of_another_semantics": lambda: manifests(semantics=999),
    "checkpoints_of_another_format": lambda: replace(SOUND, manifests=_BROKEN),
    "checkpoints_of_other_counts": lambda: manifests(counts={"measurements": 4, "findings": 1}),
    "checkpoints_beyond_the_log": lambda: manifests(offset=1_000),
    "checkpoints_before_the_log": lambda: partition("acme.measurements", start=995),
    "topic_made_anew": lambda: topic("acme.measurements", identity="cluster/another"),
    "first_start": lambda: replace(SOUND, manifests=(), rule_sets=RuleSets({}, None)),
    "rule_set_unreadable": lambda: replace(
        SOUND, rule_sets=RuleSets({RULES.hash: "", OTHER: "Object missing required field `zones`"}, RULES.hash)
    ),
    "rule_set_lost": lambda: replace(SOUND, rule_sets=RuleSets({}, RULES.hash)),
    "requests_lost": lambda: replace(SOUND, rule_sets=RuleSets({RULES.hash: ""}, RULES.hash, requests_lost=True)),
    "other_rules_requested": lambda: replace(SOUND, rule_sets=RuleSets({RULES.hash: "", OTHER: ""}, OTHER)),
    "old_rules_still_run": lambda: replace(
        manifests(rule_set=OTHER), rule_sets=RuleSets({RULES.hash: "", OTHER: ""}, RULES.hash)
    ),
}


def found_in(facts: Facts, settings: Settings = SETTINGS) -> list[Diagnosis]:
    return list(judge(facts, settings, RULES))
