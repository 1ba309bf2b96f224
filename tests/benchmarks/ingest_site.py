"""One installation's topics at the broker, and how far its worker has come, seen from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from confluent_kafka import Consumer, TopicPartition

from engine.brokers.topics import Topic, TopicAdmin, plan
from engine.model.records import Progress
from engine.model.topics import DEAD_LETTERS, FINDINGS, MEASUREMENTS, full_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 30.0
_PROGRESS = b'{"type":"progress"'
_progress = msgspec.json.Decoder(Progress)


class Site:
    """The topics under `prefix` at `bootstrap`; `foreign` is a topic of somebody else, where one is wanted."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int, *, with_foreign: bool = False) -> None:
        self.bootstrap, self.prefix, self.partitions = bootstrap, prefix, partitions
        self.measurements = full_name(prefix, MEASUREMENTS)
        self.findings = full_name(prefix, FINDINGS)
        self.foreign = full_name(prefix, "foreign") if with_foreign else None
        self._topics = plan(prefix, partitions)
        if self.foreign is not None:
            self._topics += (Topic(self.foreign, 1, {"cleanup.policy": "delete"}),)

    def make(self) -> None:
        """Make them."""
        TopicAdmin(self.bootstrap).create(self._topics)

    def delete(self) -> None:
        """Delete them, so that the disk does not fill."""
        TopicAdmin(self.bootstrap).delete(self._topics)

    def ends(self, topic: str, partitions: int | None = None) -> list[int]:
        """The end of each partition of a topic, by its full name."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.prefix}-ends"})
        try:
            places = _places(topic, partitions or self.partitions)
            return [consumer.get_watermark_offsets(place, timeout=_SECONDS)[1] for place in places]
        finally:
            consumer.close()

    def dead_letters(self) -> int:
        """How many there are: none, or the benchmark measures something else than it says."""
        return self.ends(full_name(self.prefix, DEAD_LETTERS), 1)[0]


class Watcher:
    """Reads the findings as they come, and what the worker's group has committed."""

    def __init__(self, site: Site) -> None:
        common = {"bootstrap.servers": site.bootstrap, "enable.auto.commit": False}
        self._site = site
        self._findings = Consumer({**common, "group.id": f"{site.prefix}-watcher", "fetch.wait.max.ms": 20})
        self._findings.assign([TopicPartition(site.findings, place.partition, 0) for place in _places_of(site)])
        self._group = Consumer({**common, "group.id": site.prefix})
        self.values: list[bytes] = []
        """What stage 1 has said, progress left out."""
        self._read = 0
        self._told = [-1] * site.partitions

    def progress(self) -> int:
        """Take what came; the tick up to which every partition of stage 1 has said all that it had to say."""
        for message in self._findings.consume(10_000, timeout=0.05):
            assert message.error() is None, message.error()
            value, self._read = message.value() or b"", self._read + 1
            if value.startswith(_PROGRESS):
                told = _progress.decode(value)
                self._told[told.partition] = max(self._told[told.partition], told.tick)
            else:
                self.values.append(value)
        return min(self._told)

    def committed(self, topic: str, partitions: int) -> Sequence[int]:
        """The committed offset of each partition; -1001 where there is none."""
        return [place.offset for place in self._group.committed(_places(topic, partitions), timeout=_SECONDS)]

    def read_on(self) -> None:
        """Up to the end of the findings as it is now."""
        end = sum(self._site.ends(self._site.findings))
        while self._read < end:
            self.progress()

    def close(self) -> None:
        """Let go of the connections."""
        self._findings.close()
        self._group.close()


def _places(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for partition in range(partitions)]


def _places_of(site: Site) -> list[TopicPartition]:
    return _places(site.findings, site.partitions)
