"""Groups: what is firing in one scope, by series. Silence is grouped by source, composites of `all` or `any` by their
scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.barrier import event_time_of
from engine.correlate.members import evidence_of_members, moved, taking_part
from engine.model.finding import Finding, Silence
from engine.model.judgement import Judgement
from engine.model.records import Signal
from engine.model.trigger import Member, Turn
from engine.rules.resolved.condition import Composite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.correlate.join import Facts
    from engine.model.limits import Limits
    from engine.rules.resolved.rule import Rule

    Reported = Finding | Signal


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

    def __init__(self, rule: Rule, kpis: dict[str, str], rule_set: str, limits: Limits) -> None:
        self.rule = rule
        self.kpis = kpis
        self.rule_set = rule_set
        self.limits = limits

    def hears(self, rule: str) -> bool:
        """Whether reports of a rule are of this group: a composite's members are those that it names now."""
        condition = self.rule.condition
        return not isinstance(condition, Composite) or rule in condition.rules

    def advance(self, group: Group, reports: Sequence[Reported], facts: Facts) -> list[Judgement]:
        """Take a barrier's findings or signals of this group, in order; at most one update leaves."""
        found: list[Judgement] = []
        before = dict(group.members)
        opening = False
        latest = ""
        cause: str | None = None
        held = before
        for place, report in enumerate(reports):
            takes_back = isinstance(report, Finding) and report.status != "new"
            cause = report.cause if isinstance(report, Finding) and takes_back else cause
            latest = report.event_time
            resumes = self._apply(group, report)
            self._assert(group, facts)
            if place + 1 < len(reports) and event_time_of(reports[place + 1]) == event_time_of(report):
                continue
            on = self.holds(group, facts)
            if on and not group.on:
                opening = not (resumes and group.opened is not None)
                if not opening:
                    found.append(self._turn(group, "resumed", latest, cause))
                    before = dict(group.members)
                else:
                    group.opened, group.recovered = self._opened(group, latest), False
            if not on and group.on:
                if opening:
                    found.append(self._turn(group, "began", str(group.opened), cause, members=held))
                    opening = False
                found.append(self._turn(group, "ended" if self._ended(group) else "withdrawn", latest, cause))
                before = dict(group.members)
            group.on = on
            held = dict(group.members)
        if group.on and opening:
            found.append(self._turn(group, "began", str(group.opened), cause))
        elif group.on and before != group.members:
            found.append(self._turn(group, "changed", latest, cause or moved(before, group.members)))
        return found

    def assert_again(self, group: Group, facts: Facts) -> None:
        """Rebuild the facts of a restored group."""
        self._assert(group, facts)

    def drop(self, group: Group, facts: Facts, cause: str) -> list[Judgement]:
        """The rule is gone: retract the facts; a group that is on never was, as far as the rules of today say."""
        group.members = {}
        self._assert(group, facts)
        was_on, group.on = group.on, False
        return [self._turn(group, "withdrawn", str(group.opened), cause)] if was_on else []

    def _apply(self, group: Group, report: Reported) -> bool:
        """Let a member join or leave; true when what it had left by was taken back."""
        key = f"{report.rule}|{report.series}"
        if isinstance(report, Signal):
            if report.state == "firing":
                group.members[key] = _member(report, report.event_time)
            elif group.members.pop(key, None) is not None:
                group.recovered = True
            return False
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

    def _slots(self) -> int:
        condition = self.rule.condition
        return len(condition.rules) if isinstance(condition, Composite) and condition.op == "all" else 1

    def _assert(self, group: Group, facts: Facts) -> None:
        """For `all` a fact for each member rule that fires somewhere in the scope; else one for any."""
        condition, slots = self.rule.condition, self._slots()
        if not isinstance(condition, Composite):
            return
        firing = {member.rule for member in group.members.values()}
        place = f"{group.rule}|{group.scope}"
        for slot in range(slots):
            stands = condition.rules[slot] in firing if condition.op == "all" else bool(firing)
            (facts.put if stands else facts.take)(slots, place, slot)

    def holds(self, group: Group, facts: Facts) -> bool:
        """Whether the rule is on by the members whose facts stand."""
        if isinstance(self.rule.condition, Composite):
            return facts.matched(self._slots(), f"{group.rule}|{group.scope}")
        return bool(group.members)

    def _opened(self, group: Group, latest: str) -> str:
        if isinstance(self.rule.condition, Composite):
            return latest
        return min((member.event_time for member in group.members.values()), default=latest)

    def _ended(self, group: Group) -> bool:
        return group.recovered or isinstance(self.rule.condition, Composite)

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
            taking_part=taking_part(there, self.kpis),
            cause=cause,
            size=float(len(there)),
        )


def _member(report: Reported, event_time: str) -> Member:
    point = report.evidence.point if isinstance(report, Finding) else None
    return Member(
        series=report.series,
        rule=report.rule,
        finding=report.id if isinstance(report, Finding) else report.finding,
        event_time=event_time,
        transition=report.transition,
        revision=report.revision,
        silence=point if isinstance(point, Silence) else None,
    )
