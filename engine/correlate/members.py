"""What reviews are told of a group or composite: the members, as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.identity import digest_of
from engine.model.time import parse_own_time
from engine.model.trigger import GroupEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.model.limits import Limits
    from engine.model.time import Micros
    from engine.model.trigger import Member, StormOf
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


def evidence_of_storm(
    rule: Rule, members: Iterable[Member], storm: StormOf, rule_set: str, limits: Limits
) -> GroupEvidence:
    """Those of them that began first, and how many there are."""
    there = sorted(members, key=order_of_storm)
    evidence = evidence_of_members(rule, there, rule_set, limits)
    return msgspec.structs.replace(evidence, storm=storm, digests={**evidence.digests, "storm": digest_of(storm)})


def order_of_storm(member: Member) -> tuple[Micros, str]:
    """Members of a storm stand by when they began to fire, and by series."""
    return parse_own_time(member.event_time), member.series


def taking_part(members: Iterable[Member], kpis: Mapping[str, str]) -> tuple[str, ...]:
    """The KPIs (by rule) that the members are about."""
    return tuple(sorted({kpis[member.rule] for member in members if member.rule in kpis}))


def moved(before: Iterable[str], after: Iterable[str]) -> str:
    """Why a group is told again: how many members joined and left."""
    joined, left = set(after) - set(before), set(before) - set(after)
    return f"{len(joined)} joined, {len(left)} left"
