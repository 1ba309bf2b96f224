"""What a composite asks of the rules that fire, and whether a list of members bears it out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from engine.model.trigger import Member
    from engine.rules.resolved.condition import Composite


def is_met(condition: Composite, firing: Collection[str]) -> bool:
    """Whether these rules, all that fire, make an `all`, `any` or `at_least`, and none holds it back."""
    there = sum(rule in firing for rule in condition.rules)
    return there >= needed(condition) and not any(rule in firing for rule in condition.without)


def needed(condition: Composite) -> int:
    """How many of its rules must fire, of a sequence have come in order."""
    return {"any": 1, "at_least": condition.count}.get(condition.op, len(condition.rules))


def bears_out(condition: Composite, members: Iterable[Member]) -> bool:
    """Whether members, as a trigger lists them, are such as make the composite: of a sequence in its order and time,
    and none that it must go without.
    """
    times = {member.rule: parse_own_time(member.event_time) for member in members}
    if any(rule in times for rule in condition.absent):
        return False
    if condition.op != "sequence":
        return is_met(condition, times)
    run = [times[rule] for rule in condition.rules if rule in times]
    if len(run) < len(condition.rules) or any(rule in times for rule in condition.without):
        return False
    return all(one < other for one, other in pairwise(run)) and run[-1] - run[0] <= condition.within
