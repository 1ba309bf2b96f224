"""What was seen of an installation, as plain values: judging needs no broker. Times are microseconds of the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import Micros
from engine.runtime.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Partition(msgspec.Struct, frozen=True):
    """One partition: copies that there should be, those in step, and the offsets that it holds."""

    leader: bool
    copies: int
    in_sync: int
    start: int
    end: int


class TopicFacts(msgspec.Struct, frozen=True):
    """A topic as the broker has it. `config` is empty where the broker tells none."""

    identity: str
    partitions: tuple[Partition, ...]
    config: dict[str, str]


class Group(msgspec.Struct, frozen=True):
    """The consumer group of the workers. `members` None: the broker does not say.

    `committed`: offset by topic and partition, those without left out; `assigned`: partitions by topic.
    """

    state: str
    members: int | None
    assigned: dict[str, int]
    committed: dict[str, dict[int, int]]


class Stamp(msgspec.Struct, frozen=True):
    """The newest record of a topic: when the broker appended it; and `ticked`: when the newest live tick.

    `late`: of each partition, the least that one of its newest ticks was appended after its time. Any may be late,
    because it had to wait; that all of them are is the clocks' doing.
    """

    topic: str
    appended: Micros
    ticked: Micros | None = None
    late: tuple[Micros, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """The newest manifest of a checkpoints partition, or what is wrong with it."""

    place: str
    topic: str
    partition: int
    manifest: Manifest | None
    trouble: str = ""


class RuleSets(msgspec.Struct, frozen=True):
    """What stands in rule-sets (hash, and what is wrong with it) and control."""

    stored: dict[str, str]
    requested: str | None
    requests_lost: bool = False


class Facts(msgspec.Struct, frozen=True):
    """All of it, as it was at `now` by the clock of this machine. `None`: it could not be had; `troubles` say why.

    `waiting`: by input topic, when its oldest record that is not committed was appended. `limits`: the settings of one
    broker.
    """

    now: Micros
    cluster: str
    brokers: int
    version: tuple[int, ...] | None
    embedded: bool
    limits: dict[str, str]
    topics: dict[str, TopicFacts]
    group: Group | None
    waiting: dict[str, Micros]
    stamps: tuple[Stamp, ...]
    manifests: tuple[Stored, ...]
    rule_sets: RuleSets | None
    troubles: dict[str, str] = {}


class EndpointFacts(msgspec.Struct, frozen=True):
    """What answers where a worker on this machine would serve. `refused`: nobody; then `free` says whether we could.

    `server`: how whoever answers calls itself; `ready`: the answer of /readyz; `build`: (version, semantics).
    """

    host: str
    port: int
    refused: bool = False
    free: str = ""
    server: str = ""
    ready: str = ""
    build: tuple[str, str] | None = None


def ends_after(partitions: Iterable[Partition]) -> bool:
    """Whether anything was ever written to any of them."""
    return any(partition.end > 0 for partition in partitions)
