"""One seed, one run."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from engine.simulate.faults import draw
from engine.simulate.oracle import check
from engine.simulate.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.simulate.faults import Faults
    from engine.simulate.subject import Subject

EVENTS_SHOWN = 40


class SimulationError(Exception):
    """A seed under which the promise is broken, with what happened before; `__cause__` says what broke."""

    def __init__(self, seed: int, subject: str, faults: Faults, events: list[str], why: BaseException) -> None:
        self.seed = seed
        told = "\n  ".join(events[-EVENTS_SHOWN:])
        super().__init__(f"seed {seed} of {subject}: {type(why).__name__}: {why}\n{faults}\n  {told}")


def simulate(seed: int, make_subject: Callable[[Random], Subject]) -> World:
    """Run the world of `seed` and check it; SimulationError when anything is not as it must be."""
    rng = Random(seed)  # noqa: S311 - a repeatable world, not a secret
    subject = make_subject(rng)
    faults = draw(rng)
    world = World(subject, faults, rng)
    try:
        world.run()
        check(world)
    except Exception as why:
        raise SimulationError(seed, subject.name, faults, world.events, why) from why
    return world
