"""A `Log` in memory whose batches are the same bytes that Kafka would send.

What a broker does to a log behind our back (compaction, retention, a recreated topic, offsets without records) are
plain methods here, so that tests and the simulator can do it at any moment. Nothing is kept on disk.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import LogError
from engine.wire.batch import Batch, LogRecord, Record
from engine.wire.partition import owner
from engine.wire.records import encode_batch, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.runtime.ports import Output

SEGMENT_RECORDS_MAX = 500
"""A longer append becomes several record batches: brokers refuse batches of more than a megabyte."""


class _Segment(NamedTuple):
    """One record batch: every offset from `base` to `last` has its record."""

    base: int
    last: int
    data: bytes


class _Partition:
    """The record batches of one partition, and the offsets between which they stand."""

    def __init__(self) -> None:
        self.segments: list[_Segment] = []
        self.start = 0
        self.end = 0

    def append(self, appended: Sequence[Record]) -> None:
        for first in range(0, len(appended), SEGMENT_RECORDS_MAX):
            self._add(self.end, appended[first : first + SEGMENT_RECORDS_MAX])

    def _add(self, base: int, appended: Sequence[Record]) -> None:
        last = base + len(appended) - 1
        self.segments.append(_Segment(base, last, encode_batch(appended, base)))
        self.end = last + 1

    def cut(self, offset: int, records_max: int) -> tuple[int, int, bytes]:
        """Last offset, next offset and the bytes of at most `records_max` records from `offset` on."""
        at = bisect_left(self.segments, offset, key=lambda segment: segment.last)
        taken: list[bytes] = []
        last, left = offset - 1, records_max
        while at < len(self.segments) and left:
            segment = self.segments[at]
            count = min(left, segment.last - max(offset, segment.base) + 1)
            last = max(offset, segment.base) + count - 1
            taken.append(segment.data)
            left -= count
            at += 1
        exhausted = not self.segments or last >= self.segments[-1].last
        return last, self.end if exhausted else last + 1, b"".join(taken)

    def replace(self, kept: Iterable[LogRecord]) -> None:
        """Hold just `kept`, at the offsets that they have; the end stays where it is."""
        end, run = self.end, list[Record]()
        self.segments, base = [], 0
        for offset, key, value, headers in kept:
            if run and (offset != base + len(run) or len(run) == SEGMENT_RECORDS_MAX):
                self._add(base, run)
                run = []
            if not run:
                base = offset
            run.append(Record(key, value, headers))
        if run:
            self._add(base, run)
        self.end = end


class MemoryLog:
    """`partitions` gives each topic's partition count. Appends are atomic; nothing is awaited within a call."""

    def __init__(self, partitions: Mapping[str, int], *, cluster: str = "memory") -> None:
        self._cluster = cluster
        self._incarnations = dict.fromkeys(partitions, 0)
        self._topics = {topic: [_Partition() for _ in range(count)] for topic, count in partitions.items()}
        self.committed: dict[tuple[str, int], int] = {}
        """What was last committed to the group, by (topic, partition)."""

    async def partitions(self, topic: str) -> int:
        """See `Log`."""
        return len(self._topic(topic))

    async def identity(self, topic: str) -> str:
        """See `Log`."""
        self._topic(topic)
        return f"{self._cluster}/{topic}#{self._incarnations[topic]}"

    async def append(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """See `Log`."""
        return self.append_now(outputs)

    async def read(self, topic: str, partition: int, offset: int, *, records_max: int = 5_000) -> Batch | None:
        """See `Log`."""
        held = self._partition(topic, partition)
        if not held.start <= offset <= held.end:
            raise LogError(
                f"{topic}[{partition}]: offset {offset} was asked for, the log holds {held.start} to {held.end}: "
                "records that were relied on are gone"
            )
        if offset == held.end:
            return None
        last, following, data = held.cut(offset, records_max)
        return Batch(topic, partition, offset, last, following, data)

    async def start(self, topic: str, partition: int) -> int:
        """See `Log`."""
        return self._partition(topic, partition).start

    async def end(self, topic: str, partition: int) -> int:
        """See `Log`."""
        return self._partition(topic, partition).end

    async def commit(self, topic: str, partition: int, offset: int) -> None:
        """See `Log`."""
        self._partition(topic, partition)
        self.committed[topic, partition] = offset

    def append_now(self, outputs: Sequence[Output]) -> list[tuple[int, int]]:
        """`append` for callers that have no event loop."""
        placed: dict[tuple[str, int], list[Record]] = {}
        positions: list[tuple[int, int]] = []
        for output in outputs:
            partition = self.place(output)
            waiting = placed.setdefault((output.topic, partition), [])
            positions.append((partition, self._partition(output.topic, partition).end + len(waiting)))
            waiting.append(output.record)
        for (topic, partition), appended in placed.items():
            self._partition(topic, partition).append(appended)
        return positions

    def place(self, output: Output) -> int:
        """The partition that the output goes to."""
        if output.partition is not None:
            self._partition(output.topic, output.partition)
            return output.partition
        if output.record.key is None:
            raise ValueError(f"a record for {output.topic} needs a key or a partition, it has neither")
        return owner(output.record.key, len(self._topic(output.topic)))

    def records(self, topic: str, partition: int) -> list[LogRecord]:
        """Every record that is kept, decoded from its bytes."""
        held = self._partition(topic, partition)
        if not held.segments:
            return []
        last, following, data = held.cut(held.start, held.end - held.start + 1)
        return list(records(Batch(topic, partition, held.start, last, following, data)))

    def skip(self, topic: str, partition: int, count: int) -> None:
        """Leave `count` offsets without records at the end, as control batches and aborted transactions do."""
        self._partition(topic, partition).end += count

    def compact(self, topic: str, partition: int, *, below: int | None = None, tombstones: bool = True) -> None:
        """Drop what a later record below `below` with the same key replaces; without `tombstones` also these."""
        held = self._partition(topic, partition)
        bound = held.end if below is None else below
        present = self.records(topic, partition)
        newest = {record.key: record.offset for record in present if record.offset < bound}
        held.replace(
            record
            for record in present
            if record.offset >= bound
            or (newest[record.key] == record.offset and (tombstones or record.value is not None))
        )

    def lose_below(self, topic: str, partition: int, offset: int) -> None:
        """Retention: what stands below `offset` is gone."""
        held = self._partition(topic, partition)
        held.start = max(held.start, min(offset, held.end))
        held.segments = [segment for segment in held.segments if segment.last >= held.start]

    def lose_from(self, topic: str, partition: int, offset: int) -> None:
        """An unclean election: what stands at `offset` and after it is gone, and the offsets will be given again."""
        held = self._partition(topic, partition)
        kept = [record for record in self.records(topic, partition) if record.offset < offset]
        held.replace(kept)
        held.end = min(held.end, offset)

    def recreate(self, topic: str, partitions: int | None = None) -> None:
        """Delete the topic and make another of the same name."""
        count = len(self._topic(topic)) if partitions is None else partitions
        self._topics[topic] = [_Partition() for _ in range(count)]
        self._incarnations[topic] += 1

    def _topic(self, topic: str) -> list[_Partition]:
        if topic not in self._topics:
            raise LogError(f"there is no topic {topic}; there are {', '.join(sorted(self._topics))}")
        return self._topics[topic]

    def _partition(self, topic: str, partition: int) -> _Partition:
        held = self._topic(topic)
        if not 0 <= partition < len(held):
            raise LogError(f"{topic} has {len(held)} partitions, there is no partition {partition}")
        return held[partition]
