"""What reviews are told of a group or composite: the members, as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.identity import digest_of
from engine.model.trigger import GroupEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.model.limits import Limits
    from engine.model.trigger import Member
    from engine.rules.resolved.rule import Rule


def evidence_of_members(rule: Rule, members: Sequence[Member], rule_set: str, limits: Limits) -> GroupEvidence:
    """The first of them, and how many there are; they come in order."""
    listed = tuple(members[: limits.members_listed_max])
    return GroupEvidence(
        condition=rule.declared,
        count=len(members),
        listed=listed,
        rule_set=rule_set,
        digests={"condition": digest_of(rule.declared), "listed": digest_of(listed)},
    )


def taking_part(members: Iterable[Member], kpis: Mapping[str, str]) -> tuple[str, ...]:
    """The KPIs (by rule) that the members are about."""
    return tuple(sorted({kpis[member.rule] for member in members if member.rule in kpis}))


def moved(before: Iterable[str], after: Iterable[str]) -> str:
    """Why a group is told again: how many members joined and left."""
    joined, left = set(after) - set(before), set(before) - set(after)
    return f"{len(joined)} joined, {len(left)} left"
