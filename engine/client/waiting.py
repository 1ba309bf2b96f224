"""What waits for its acknowledgement: how many bytes of batches, and whether everything up to a moment is settled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kafka.producer.producer_batch import ProducerBatch

Full = Literal["block", "raise", "drop"]
"""What `emit` does when the buffer is full: wait for room, raise at once, or drop the measurement and count it."""


class Held(NamedTuple):
    """A batch's place in the order of all, and the bytes that it may take."""

    ordinal: int
    size: int


class Waiting:
    """Batches that are not settled, in at most `bytes_max`; for several threads."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._taken = 0
        self._ordinal = 0
        self._held: dict[ProducerBatch, Held] = {}
        self._change = threading.Condition()

    def take(self, size: int, seconds: float) -> bool:
        """Room for `size` bytes, waited for up to so many seconds; False when there is none."""
        with self._change:
            if not self._change.wait_for(lambda: self._has_room(size), seconds):
                return False
            self._taken += size
            return True

    def _has_room(self, size: int) -> bool:
        if self._taken + size <= self.bytes_max:
            return True
        self._trim()
        return self._taken + size <= self.bytes_max

    def _trim(self) -> None:
        """Batches on their way grow no more: what they did not need is free. Many partitions have many of them."""
        for batch, held in self._held.items():
            if batch.drained is not None and (size := batch.records.size_in_bytes()) < held.size:
                self._taken -= held.size - size
                self._held[batch] = held._replace(size=size)

    def take_anyway(self, size: int) -> int:
        """Room that must be, over the bound too; the same size."""
        with self._change:
            self._taken += size
            return size

    def give_back(self, size: int) -> None:
        """Room that was taken and is not needed."""
        with self._change:
            self._taken -= size
            self._change.notify_all()

    def add(self, batch: ProducerBatch, size: int, ordinal: int | None = None) -> None:
        """Hold a batch in room that was taken: as the newest, or at the place of one before it."""
        with self._change:
            if ordinal is None:
                self._ordinal += 1
                ordinal = self._ordinal
            self._held[batch] = Held(ordinal, size)

    def replace(self, batch: ProducerBatch, parts: Iterable[ProducerBatch], size: int) -> list[ProducerBatch]:
        """Hold parts of a batch instead of it, each of `size` bytes: over the bound, where it must be."""
        with self._change:
            ordinal, room = self._held.pop(batch)
            new = [part for part in parts if part not in self._held]
            self._held |= dict.fromkeys(new, Held(ordinal, size))
            self._taken += size * len(new) - room
            return new

    def shrink(self, batch: ProducerBatch, size: int) -> None:
        """The batch grows no more."""
        with self._change:
            ordinal, room = self._held[batch]
            self._held[batch] = Held(ordinal, size)
            self._taken += size - room
            self._change.notify_all()

    def ordinal(self, batch: ProducerBatch) -> int:
        """The place of a batch that is held."""
        with self._change:
            return self._held[batch].ordinal

    def remove(self, batch: ProducerBatch) -> None:
        """The batch is settled."""
        with self._change:
            self._taken -= self._held.pop(batch).size
            self._change.notify_all()

    def wait(self, seconds: float) -> bool:
        """Until all that is held now is settled, or so many seconds; whether it is."""
        with self._change:
            last = self._ordinal
            return self._change.wait_for(lambda: all(held.ordinal > last for held in self._held.values()), seconds)

    def count(self) -> int:
        """Records in the batches that are held."""
        with self._change:
            return sum(batch.record_count for batch in self._held)
