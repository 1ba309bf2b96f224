"""When to write a checkpoint: often enough that a replay stays short, seldom enough that it costs little.

Reads no clock: moments and durations come in, in microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from engine.model.time import SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Hashable

PlaceT = TypeVar("PlaceT", bound="Hashable")


class CadenceLimits(msgspec.Struct, frozen=True):
    """`cpu_share` of the time may go into checkpoints; more if a partition would need `replay_max` to replay."""

    cpu_share: float = 0.02
    replay_max: Micros = 30 * SECOND
    rest_min: Micros = SECOND


class Cadence(Generic[PlaceT]):
    """Decides whose turn it is among the partitions of one worker; one checkpoint at a time.

    What a partition has spent in `worked` since its last checkpoint is what a replay of it would cost.
    """

    def __init__(self, limits: CadenceLimits) -> None:
        self._limits = limits
        self._spent: dict[PlaceT, Micros] = {}
        self._held: dict[PlaceT, Micros] = {}
        self._rest: Micros = limits.rest_min
        self._rest_until: Micros | None = None

    @property
    def replay(self) -> Micros:
        """How long the worst partition would take to replay now."""
        return max(self._spent.values(), default=0)

    @property
    def replay_max(self) -> Micros:
        """The replay that no partition may come to need without a checkpoint."""
        return self._limits.replay_max

    @property
    def rest(self) -> Micros:
        """How long the last checkpoint makes the next one wait."""
        return self._rest

    def joined(self, place: PlaceT, spent: Micros = 0) -> None:
        """A partition was acquired; `spent` is what stands beyond its manifest already."""
        self._spent[place] = spent

    def left(self, place: PlaceT) -> None:
        """A partition was revoked."""
        self._spent.pop(place, None)
        self._held.pop(place, None)

    def worked(self, place: PlaceT, duration: Micros) -> None:
        """The partition took `duration` to process something."""
        self._spent[place] += duration

    def copied(self, place: PlaceT) -> None:
        """The checkpoint that is being written holds what the partition has done so far, and nothing after it."""
        self._held[place] = self._spent.get(place, 0)

    def written(self, place: PlaceT, now: Micros, duration: Micros) -> None:
        """A checkpoint of the partition ended at `now` and took `duration` of work; rest as the share asks for."""
        if place in self._spent:
            self._spent[place] -= self._held.pop(place, self._spent[place])
        self._rest = max(self._limits.rest_min, round(duration / self._limits.cpu_share))
        self._rest_until = now + self._rest

    def due(self, now: Micros) -> PlaceT | None:
        """The partition that should write a checkpoint now; None: nobody yet.

        It is the one with most to replay, when the rest is over or too much is at stake.
        """
        waiting = [place for place, spent in self._spent.items() if spent]
        if not waiting:
            return None
        place = max(waiting, key=self._spent.__getitem__)
        rested = self._rest_until is None or now >= self._rest_until
        return place if rested or self._spent[place] >= self._limits.replay_max else None
