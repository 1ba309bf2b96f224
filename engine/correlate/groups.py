"""Groups: on which series a rule is firing in one scope. Silence is grouped by source, others as `group_by` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.members import evidence_of_members, moved
from engine.correlate.moves import Move, moves_of
from engine.model.judgement import Judgement
from engine.model.time import parse_own_time
from engine.model.trigger import Member, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.finding import Finding
    from engine.model.limits import Limits
    from engine.rules.resolved.rule import Rule


class Group(msgspec.Struct):
    """The members of (rule, scope) that are firing, by `rule|series`. `opened` names the alert that is or was last on.

    `recovered`: a member of this alert has resolved, rather than all having been withdrawn.
    """

    rule: str
    scope: str
    members: dict[str, Member] = {}
    on: bool = False
    opened: str | None = None
    recovered: bool = False


class Grouping:
    """One rule's groups, ready to advance. It keeps no state of its own."""

    def __init__(self, rule: Rule, rule_set: str, limits: Limits) -> None:
        self.rule = rule
        self.rule_set = rule_set
        self.limits = limits

    def advance(self, group: Group, reports: Sequence[Finding]) -> list[Judgement]:
        """Take a barrier's findings of this group, in order; at most one update leaves."""
        found: list[Judgement] = []
        before = dict(group.members)
        opening = False
        latest = ""
        cause: str | None = None
        held = before
        moves = moves_of(group.members, reports)
        for place, move in enumerate(moves):
            cause = move.cause or cause
            latest = move.event_time
            resumes = _apply(group, move)
            if place + 1 < len(moves) and parse_own_time(moves[place + 1].event_time) == parse_own_time(latest):
                continue
            on = bool(group.members)
            if on and not group.on:
                opening = not (resumes and group.opened is not None)
                if not opening:
                    found.append(self._turn(group, "resumed", latest, cause))
                    before = dict(group.members)
                else:
                    group.opened, group.recovered = _earliest(group), False
            if not on and group.on:
                if opening:
                    found.append(self._turn(group, "began", str(group.opened), cause, members=held))
                    opening = False
                found.append(self._turn(group, "ended" if group.recovered else "withdrawn", latest, cause))
                before = dict(group.members)
                group.opened = group.opened if group.recovered else None  # what never was does not resume
            group.on = on
            held = dict(group.members)
        if group.on and opening:
            found.append(self._turn(group, "began", str(group.opened), cause))
        elif group.on and before != group.members:
            found.append(self._turn(group, "changed", latest, cause or moved(before, group.members)))
        return found

    def drop(self, group: Group, cause: str) -> list[Judgement]:
        """The rule is gone: a group that is on never was, as far as the rules of today say."""
        group.members = {}
        was_on, group.on = group.on, False
        return [self._turn(group, "withdrawn", str(group.opened), cause)] if was_on else []

    def _turn(
        self, group: Group, turn: Turn, event_time: str, cause: str | None, members: dict[str, Member] | None = None
    ) -> Judgement:
        by_key = group.members if members is None else members
        there = [by_key[key] for key in sorted(by_key)]
        return Judgement(
            rule=group.rule,
            scope=group.scope,
            rule_set=self.rule_set,
            turn=turn,
            opened=str(group.opened),
            event_time=event_time,
            evidence=evidence_of_members(self.rule, there, self.rule_set, self.limits),
            cause=cause,
            size=float(len(there)),
        )


def _apply(group: Group, move: Move) -> bool:
    """Let a member join or leave; true when what it had left by was taken back."""
    was_there = move.key in group.members
    if move.member is not None:
        group.members[move.key] = move.member
        return move.returns and not was_there
    if group.members.pop(move.key, None) is not None:
        group.recovered |= move.resolved
    return False


def _earliest(group: Group) -> str:
    return min((member.event_time for member in group.members.values()), key=parse_own_time)
