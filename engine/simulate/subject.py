"""What a simulated run works on: the stages, what is fed to them, and when other rules are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

    `same_in_any_order`: the triggers do not depend on how findings of different stage 1 partitions interleave, so that
    they are held against a run without any faults from the very beginning.
    """

    name: str
    partitions: Mapping[str, int]
    feed: Sequence[Output]
    requests: Sequence[Request]
    make_stage_1: Callable[[int], Stage]
    make_stage_2: Callable[[int], Stage]
    same_in_any_order: bool
