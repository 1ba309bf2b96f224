"""The two ports of the runtime: `Log` (what Kafka is to us) and `Stage` (what a processor drives for one partition).

A processor knows nothing of rules; a stage knows nothing of brokers. In-memory and Kafka logs pass one contract suite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.wire.batch import Batch, Record


class _PositionFields(NamedTuple):
    semantics: int
    partition: int
    offset: int
    ordinal: int


class Position(_PositionFields):
    """What caused an output: readers drop what is not greater than the last one they have from that partition."""

    __slots__ = ()

    HEADER: ClassVar[str] = "counterpoint-position"

    def encode(self) -> bytes:
        """`1:0:4711:2` as the header's value."""
        return b"%d:%d:%d:%d" % (self.semantics, self.partition, self.offset, self.ordinal)

    @classmethod
    def decode(cls, value: bytes) -> Position:
        """The inverse of `encode`; ValueError when it is not one."""
        semantics, partition, offset, ordinal = (int(part) for part in value.split(b":"))
        return cls(semantics, partition, offset, ordinal)


class Output(NamedTuple):
    """A record to be appended. `topic` is an own topic's short name (`model.topics`).

    `partition` None: by `wire.partition.owner(key, partitions of the topic)`.
    """

    topic: str
    partition: int | None
    record: Record


class Log(Protocol):
    """Partitioned, append-only, durable once acknowledged. All topics are own topics by short name."""

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has; LogError when there is no such topic."""

    async def identity(self, topic: str) -> str:
        """Cluster and topic id: another value means another topic of the same name."""

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """Append all, in order within each partition; returns when all are acknowledged, with (partition, offset) each.

        Repeats of an output may stand in the log after a failure that was retried. BrokerError when it cannot be done;
        then each partition has the outputs for it up to some point and none after it: a reader drops whatever is not
        greater than its last position, so that an output after a gap would bury those in the gap for ever.
        """

    async def read(self, topic: str, partition: int, offset: int, *, records_max: int = 5_000) -> Batch | None:
        """What stands at or after `offset`, at most `records_max` records; None when nothing does yet.

        The batch begins at `offset`, even where the first record that is kept stands later: a gap is read like records.
        LogError when `offset` is below the first record kept or above the end: records were lost.
        """

    async def start(self, topic: str, partition: int) -> int:
        """Offset of the first record kept."""

    async def end(self, topic: str, partition: int) -> int:
        """One past the last record's offset."""

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """Tell the group that everything below `offset` is done. For operators to see; recovery does not read it."""


class Stage(Protocol):
    """The pure state of one partition of one stage, as a processor sees it."""

    @property
    def rule_set_hash(self) -> str:
        """The rule set that is active after the last batch: it goes into the manifest."""

    def apply(self, batch: Batch) -> list[Output]:
        """Take a batch, return what it says, in order of cause, `Position` headers on findings and triggers.

        Same records, however cut, same outputs.
        """

    def dirty_pages(self) -> dict[str, bytes]:
        """Pages changed since the last call of `dirty_pages` or `all_pages`, by name; an empty value: it is gone."""

    def all_pages(self) -> dict[str, bytes]:
        """Every page; `restore` from them gives an equal state."""

    def restore(self, pages: Mapping[str, bytes]) -> None:
        """Become the state that was written. StateError when the pages do not fit together."""

    def close(self) -> None:
        """Give back what is held outside (durable_rules facts); the stage is not used after it."""
