"""Keeps a sender to the embedded broker from writing over what nobody has read yet.

The embedded broker drops the oldest records of a partition beyond 5 MB. What has been read is what the workers' group
has committed; a sender may be at most `bytes_max` ahead of that in any partition, and waits otherwise.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition

from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_AHEAD_MAX = 3_500_000
"""How far a sender may be ahead in one partition, in bytes as they stand in the log: two thirds of what it holds."""

_PAUSE_SECONDS = 0.05
_SECONDS = 10.0


class Pacer:
    """Counts what is sent to `topic` and waits for `group` where it falls too far behind.

    `ratio` tells how many bytes in the log a byte sent is (compression); None counts them as they are. A group that
    commits nothing at all for `patience_seconds` while it is waited for is a BrokerError.
    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        partitions: int,
        group: str,
        *,
        ratio: Callable[[], float] | None = None,
        bytes_max: int = BYTES_AHEAD_MAX,
        patience_seconds: float = 120.0,
    ) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0, "enable.auto.commit": False}
        )
        self._group = group
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._ratio = ratio if ratio is not None else lambda: 1.0
        self._bytes_max = bytes_max
        self._patience = patience_seconds
        marks = [self._watermarks(place) for place in self._places]
        self._first = [low for low, _ in marks]
        self._sent = [high for _, high in marks]  # the offset that our next record gets, were we alone
        self._largest = [1] * partitions
        self._room = [0.0] * partitions

    def before_send(self, partition: int, size: int) -> None:
        """Take room for a record of `size` bytes, waiting for the group where there is none."""
        self._largest[partition] = max(self._largest[partition], size)
        if self._room[partition] < size:
            self._wait(partition, size)
        self._room[partition] -= size
        self._sent[partition] += 1

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _wait(self, partition: int, size: int) -> None:
        committed = self._committed(partition)
        moved = time.monotonic()
        while self._measure(partition, committed) < size:
            if time.monotonic() - moved > self._patience:
                raise BrokerError(
                    f"expected the group {self._group} to read on, it has stood at offset {committed} of "
                    f"{self._places[partition].topic}[{partition}] for {self._patience:g} s, and the embedded broker "
                    "can hold no more; is a worker running?"
                )
            time.sleep(_PAUSE_SECONDS)
            before, committed = committed, self._committed(partition)
            if committed != before:
                moved = time.monotonic()

    def _measure(self, partition: int, committed: int) -> float:
        """Room in bytes as sent: every record that is not committed counts as the largest one sent so far."""
        _, end = self._watermarks(self._places[partition])
        ahead = max(self._sent[partition], end) - committed
        room = self._bytes_max / self._ratio() - ahead * self._largest[partition]
        self._room[partition] = room
        return room

    def _committed(self, partition: int) -> int:
        try:
            (found,) = self._consumer.committed([self._places[partition]], timeout=_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"the broker does not say what group {self._group} has committed: {error}") from error
        return int(found.offset) if found.offset >= 0 else self._first[partition]

    def _watermarks(self, place: TopicPartition) -> tuple[int, int]:
        try:
            low, high = self._consumer.get_watermark_offsets(place, timeout=_SECONDS)
        except KafkaException as error:
            raise BrokerError(
                f"{place.topic}[{place.partition}]: the broker does not say where it ends: {error}"
            ) from error
        return int(low), int(high)
