"""How often and how soon phantom growth is detected, by lift: prints the table of docs/detection.md.

    python tests/benchmarks/detect_phantom_growth.py --seeds 50

The worlds go through both stages in this process, with the shipped rules; what a worker says is the same.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.replay import replay
from engine.offline.reviews import ReviewStory, stories
from engine.rules.loader import load_or_raise
from engine.simulate.scenarios.phantom_growth import PhantomGrowth

PACK = Path(__file__).resolve().parents[2] / "rules" / "phantom-growth"
LIFTS = (0.0, 0.05, 0.1, 0.2, 0.4)
CONFLICT, PROMOTERS, CHURN = "traffic-paid-for-elsewhere", "promoters-lost", "churn-high"


class Outcome(NamedTuple):
    """What the rules said of one world; delays in days after the onset, by the last day of the window that spoke."""

    lift: float
    conflicts: int
    delay: int | None
    promoters_delay: int | None
    churn_delay: int | None
    participants: int
    twin: int
    other: int


def outcome(lift: float, seed: int) -> Outcome:
    """One world through the rules."""
    world = PhantomGrowth(seed, lift)
    outputs = replay(load_or_raise([PACK]), world.measurements()).outputs
    values = [output.record.value or b"" for output in outputs if output.topic == TRIGGERS]
    told = stories(msgspec.json.decode(value, type=ReviewTrigger) for value in values)
    sick = [story for story in told if story.where == f"company {world.sick}"]
    conflicts = [story for story in sick if story.opening.rule == CONFLICT]
    promoters = [story for story in sick if story.opening.rule == PROMOTERS]
    churn = [story for story in sick if story.opening.rule == CHURN]
    first = conflicts[0] if conflicts else None
    joined = [name for _, names in first.joined for name in names] if first else []
    return Outcome(
        lift=lift,
        conflicts=len(conflicts),
        delay=_delay(first, world) if first else None,
        promoters_delay=_delay(promoters[0], world) if promoters else None,
        churn_delay=_delay(churn[0], world) if churn else None,
        participants=len({*first.opening.participants, *joined}) if first else 0,
        twin=len(told) - len(sick),
        other=len(sick) - len(conflicts) - len(promoters) - len(churn),
    )


def _delay(story: ReviewStory, world: PhantomGrowth) -> int:
    return (date.fromisoformat(story.when) - world.onset).days


def row(lift: float, outcomes: list[Outcome]) -> str:
    """One line of the table."""
    delays = sorted(each.delay for each in outcomes if each.delay is not None)
    promoters = [each.promoters_delay for each in outcomes if each.promoters_delay is not None]
    churn = [each.churn_delay for each in outcomes if each.churn_delay is not None]
    cells = [
        f"{lift:.0%}",
        f"{len(delays) / len(outcomes):.0%}",
        f"{median(delays):g}" if delays else "-",
        f"{delays[-1]}" if delays else "-",
        str(sum(delay < 0 for delay in delays)),
        str(sum(each.conflicts > 1 for each in outcomes)),
        str(sum(each.participants == 3 for each in outcomes)),
        f"{median(promoters):g} ({len(promoters)})" if promoters else "-",
        f"{median(churn):g} ({len(churn)})" if churn else "-",
        str(sum(each.twin + each.other for each in outcomes)),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50, help="worlds at each lift")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    worlds = list(product(LIFTS, range(arguments.first, arguments.first + arguments.seeds)))
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(outcome, *zip(*worlds, strict=True)))
    heads = (
        "lift",
        "detected",
        "median delay, days",
        "longest delay",
        "before the onset",
        "more than one review",
        "all three joined",
        "promoters lost after, days",
        "churn crosses after, days",
        "reviews of the twin or others",
    )
    lines = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}"]
    lines += [row(lift, [each for each in found if each.lift == lift]) for lift in LIFTS]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
