"""What rule tests reach of rules that rest on others: each member of a composite, each counterpart of a conflict.

A member is reached where it decides, once firing and once not: as in modified condition/decision coverage (Chilenski
and Miller, Applicability of modified condition/decision coverage to software testing, Software Engineering Journal
9(5), 1994).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.clauses import is_met
from engine.model.identity import scope_key
from engine.model.trigger import ConflictEvidence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from engine.model.trigger import ReviewTrigger
    from engine.offline.episodes import Episode, Place
    from engine.rules.resolved.condition import Composite, CounterpartConflict

Firing = frozenset[str]
"""The members that fire at a moment."""

OUT_OF_ORDER = "out of order"


def members_to_reach(condition: Composite) -> Iterator[str]:
    """The branches of a composite beside those of every rule."""
    for member in condition.members:
        yield _on(member)
        yield _off(member)
    if condition.op == "sequence":
        yield OUT_OF_ORDER


def counterparts_to_reach(condition: CounterpartConflict) -> Iterator[str]:
    """The branches of a conflict beside those of every rule."""
    return (_worsens(side.kpi) for side in condition.counterparts)


def counterparts_reached(trigger: ReviewTrigger) -> Iterator[str]:
    """The counterparts that a conflict was about."""
    evidence = trigger.data.evidence
    if isinstance(evidence, ConflictEvidence) and evidence.verdict == "conflict":
        yield from (_worsens(side.kpi) for side in evidence.sides[1:] if side.verdict == "worsened")


def members_reached(
    rule: str, condition: Composite, expected: Collection[str], found: Mapping[Place, Sequence[Episode]]
) -> Iterator[str]:
    """What `found` has of the composite `rule` and its members, in each of its scopes and the `expected` ones."""
    by_scope: dict[str, dict[str, list[Episode]]] = {scope: {} for scope in expected}
    for (member, series), episodes in found.items():
        dimensions = msgspec.json.decode(series, type=dict[str, str]) if member in condition.members else {}
        if member in condition.members and dimensions.keys() >= set(condition.scope):
            scope = scope_key({name: dimensions[name] for name in condition.scope})
            by_scope.setdefault(scope, {}).setdefault(member, []).extend(episodes)
    for scope, fired in by_scope.items():
        fires = bool(found.get((rule, scope)))
        if condition.op == "sequence":
            yield from _in_sequence(condition, frozenset(fired), fires=fires)
        else:
            for moment in _moments(fired):
                yield from _deciding(condition, moment)
        yield from _absent(condition, frozenset(fired), fires=fires)


def _moments(fired: Mapping[str, Sequence[Episode]]) -> set[Firing]:
    """What fires together, at some time; at first nothing does."""
    everything = [(member, each) for member, episodes in fired.items() for each in episodes]
    times = {each.begin for _, each in everything} | {each.to for _, each in everything if each.to is not None}
    return {frozenset()} | {
        frozenset(member for member, each in everything if each.begin <= time and (each.to is None or time < each.to))
        for time in times
    }


def _deciding(condition: Composite, firing: Firing) -> Iterator[str]:
    """The members without which, one way or the other, it would be otherwise."""
    for member in {*condition.rules, *condition.without}:
        if is_met(condition, firing) != is_met(condition, firing ^ {member}):
            yield _on(member) if member in firing else _off(member)


def _in_sequence(condition: Composite, fired: Firing, *, fires: bool) -> Iterator[str]:
    """By what fired at all: one of them fires, in order or not, or one was wanting."""
    wanting = set(condition.rules) - fired
    held_back = fired & set(condition.without)
    if fires:
        yield from map(_on, condition.rules)
        yield from map(_off, set(condition.without) - fired)
    elif not wanting and held_back:
        yield from map(_on, held_back)
    elif not wanting:
        yield OUT_OF_ORDER
    elif len(wanting) == 1:
        yield from map(_off, wanting)


def _absent(condition: Composite, fired: Firing, *, fires: bool) -> Iterator[str]:
    """`sequence` and `absent` do not go together."""
    if condition.absent and fires:
        yield from map(_off, condition.absent)
    elif condition.absent and is_met(condition, fired):
        yield from map(_on, set(condition.absent) & fired)


def _on(member: str) -> str:
    return f"{member} on"


def _off(member: str) -> str:
    return f"{member} off"


def _worsens(kpi: str) -> str:
    return f"{kpi} worsens"
