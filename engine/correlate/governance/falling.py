"""A board of green leading KPIs over an outcome that falls."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from engine.correlate.governance.statistics import mann_kendall, theil_sen
from engine.model.governance import FallingOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.rules.resolved.catalogue import Direction
    from engine.rules.resolved.governance import GreenOverFalling


def is_met(value: float, target: float, direction: Direction) -> bool:
    """Whether a window met a target; never where neither way is better."""
    if direction == "in_band":
        return False
    return value >= target if direction == "higher_is_better" else value <= target


def falling_outcome(
    outcome: Sequence[float], direction: Direction, board: Iterable[bool], condition: GreenOverFalling
) -> tuple[bool | None, FallingOutcome]:
    """Whether the outcome falls under a green board; None between falling and not, where what was said stands.
    `outcome` are the windows of the rule's KPI, `board` says of each window of each leading KPI whether it met its
    target.
    """
    cells = list(board)
    good = 1 if direction == "higher_is_better" else -1
    slope = theil_sen(outcome)
    score, z = mann_kendall(outcome, slope)
    level = abs(median(outcome))
    change = slope * (len(outcome) - 1) / level if level else 0.0
    found = FallingOutcome(
        met=sum(cells),
        of=len(cells),
        green=condition.green,
        s=good * score,
        z=good * z,
        limit=condition.limit,
        change=good * change,
        at_least=condition.at_least,
    )
    return _verdict(found), found


def _verdict(found: FallingOutcome) -> bool | None:
    """It begins past the limits and ends when half of one is no longer reached."""
    green = found.of > 0 and found.met >= found.green * found.of
    if not green or found.z > -found.limit / 2 or found.change > -found.at_least / 2:
        return False
    return True if found.z <= -found.limit and found.change <= -found.at_least else None
