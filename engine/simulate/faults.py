"""What may go wrong in one simulated run, as one record of options drawn from the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from random import Random


class Faults(msgspec.Struct, frozen=True):
    """Probabilities are for each step of the world unless said otherwise; 0 switches a fault off.

    `crash`: a worker loses all that it has in memory. `rebalance`: a partition moves; whatever its owner was doing
    breaks off. `pause`: a worker stands still, its partitions go to others, it comes back for `zombie_steps` without
    knowing. `compact`: the checkpoints topic is compacted. `gap`: offsets without records appear in an input.
    `repeat`: an append leaves the beginning of itself twice. `split`: an append halts between two of its records.
    `early` and `late`: a read begins before or after where it should. `checkpoint`: an owner that writes none begins a
    checkpoint. `follow`: it looks for new activations before its next read. `records_max`: of one read. `portion_max`:
    records that the sender appends at once.
    """

    workers: int
    steps: int
    crash: float
    rebalance: float
    pause: float
    zombie_steps: int
    compact: float
    gap: float
    repeat: float
    split: float
    early: float
    late: float
    checkpoint: float
    follow: float
    records_max: int
    portion_max: int


def draw(rng: Random) -> Faults:
    """Some faults often, others not at all: runs that differ in kind find more than runs that have everything."""

    def often(most: float) -> float:
        return rng.choice((0.0, most / 4, most))

    return Faults(
        workers=rng.randint(2, 3),
        steps=rng.choice((200, 400, 800)),
        crash=often(0.02),
        rebalance=often(0.04),
        pause=often(0.06),
        zombie_steps=rng.choice((5, 30, 120)),
        compact=often(0.05),
        gap=often(0.02),
        repeat=often(0.3),
        split=often(0.8),
        early=often(0.3),
        late=often(0.1),
        checkpoint=rng.choice((0.05, 0.2, 0.5)),
        follow=rng.choice((0.02, 0.2, 0.5)),
        records_max=rng.choice((1, 3, 7, 50, 5_000)),
        portion_max=rng.choice((1, 5, 20)),
    )
