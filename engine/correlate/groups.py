"""Groups: on which series a rule is firing in one scope. Silence is grouped by source, others as `group_by` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.barrier import event_time_of
from engine.correlate.members import evidence_of_members, moved
from engine.model.finding import Silence
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
        for place, report in enumerate(reports):
            cause = report.cause if report.status != "new" else cause
            latest = report.event_time
            resumes = _apply(group, report)
            if place + 1 < len(reports) and event_time_of(reports[place + 1]) == event_time_of(report):
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


def _apply(group: Group, report: Finding) -> bool:
    """Let a member join or leave; true when what it had left by was taken back."""
    key = f"{report.rule}|{report.series}"
    if report.transition == "worsened":
        return False
    if report.transition == "firing" and report.status != "withdrawn":
        group.members[key] = _member(report, report.event_time)
    elif report.transition == "firing":
        known = group.members.get(key)
        if known is not None and report.replaces in (None, known.finding):
            del group.members[key]
    elif report.status == "new" or (report.status == "amended" and key in group.members):
        group.recovered |= group.members.pop(key, None) is not None
    elif report.status == "withdrawn" and key not in group.members:
        group.members[key] = _member(report, report.opened_event_time)
        return True
    return False


def _earliest(group: Group) -> str:
    return min((member.event_time for member in group.members.values()), key=parse_own_time)


def _member(report: Finding, event_time: str) -> Member:
    point = report.evidence.point
    return Member(
        series=report.series,
        rule=report.rule,
        finding=report.id,
        event_time=event_time,
        transition=report.transition,
        revision=report.revision,
        silence=point if isinstance(point, Silence) else None,
    )
