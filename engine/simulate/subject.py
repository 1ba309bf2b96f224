"""What a simulated run works on: the stages, what is fed to them, and when other rules are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.topics import FINDINGS, MEASUREMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.runtime.ports import Output, Stage


class Request(NamedTuple):
    """After `fed` records of the feed, somebody asks for the rule set `hash` from the tick `from_tick` on."""

    fed: int
    hash: str
    from_tick: int


class Subject(NamedTuple):
    """`feed` goes to the measurements topic in this order; the first request comes before all.

    The makers take a partition and the numbers of measurements and findings partitions. `same_everywhere`: the triggers
    depend on the feed alone, neither on where activations stand in the logs nor on when something is forwarded, so that
    they are held against a world without faults and of other partition counts.
    """

    name: str
    partitions: Mapping[str, int]
    feed: Sequence[Output]
    requests: Sequence[Request]
    make_stage_1: Callable[[int, int, int], Stage]
    make_stage_2: Callable[[int, int, int], Stage]
    same_everywhere: bool

    def make_stage(self, topic: str, partition: int) -> Stage:
        """A fresh stage for a partition of `measurements` or `findings`."""
        make = self.make_stage_1 if topic == MEASUREMENTS else self.make_stage_2
        return make(partition, self.partitions[MEASUREMENTS], self.partitions[FINDINGS])
