"""Storms: of a rule with a `limit`, no more than that many series have reviews of their own at once.

An alert is in one review from its beginning to its end: one of its own, or that of the storm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.members import evidence_of_storm
from engine.correlate.storm_barrier import StormBarrier
from engine.model.identity import digest_of
from engine.model.judgement import Judgement
from engine.model.trigger import Member, StormOf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.finding import Finding
    from engine.model.limits import Limits
    from engine.model.trigger import Turn
    from engine.rules.resolved.rule import Rule


class Storm(msgspec.Struct):
    """What is firing of one rule, by series: `apart` those with reviews of their own, `members` those of the storm.

    `left`: the last alerts of a series that were members and have ended, for late data can bring them back (`seats`
    says under which names). `rages`: more than the limit were firing at once from `since` on, and who begins to fire
    comes to it. `on`, `opened` and `recovered` as of a `Group`.
    """

    rule: str
    scope: str
    apart: dict[str, Member] = {}
    members: dict[str, Member] = {}
    left: dict[str, Member] = {}
    rages: bool = False
    since: str = ""
    on: bool = False
    opened: str | None = None
    recovered: bool = False

    @property
    def firing(self) -> int:
        """How many series are."""
        return len(self.apart) + len(self.members)


class Storming:
    """One rule's storms, ready to advance. It keeps no state of its own."""

    def __init__(self, rule: Rule, limit: int, rule_set: str, limits: Limits) -> None:
        self.rule = rule
        self.limit = limit
        self.rule_set = rule_set
        self.limits = limits

    def advance(self, storm: Storm, findings: Sequence[Finding]) -> list[Finding | Judgement]:
        """Take a barrier's findings, in order: what reviews of single series are told, then what the storm's is."""
        return StormBarrier(self, storm).take(findings)

    def drop(self, storm: Storm, cause: str) -> list[Judgement]:
        """The rule is gone: what is in the storm never was, as far as the rules of today say."""
        storm.members = {}
        was_on, storm.on = storm.on, False
        return [self.turn(storm, "withdrawn", str(storm.opened), cause)] if was_on else []

    def turn(
        self, storm: Storm, turn: Turn, event_time: str, cause: str | None = None, *, again: bool = False
    ) -> Judgement:
        """What the storm's review is told."""
        step = self.rule.review.renotify
        counted = step is None or step.relative  # another step is in the unit of the KPI
        return Judgement(
            rule=storm.rule,
            scope=storm.scope,
            rule_set=self.rule_set,
            turn=turn,
            opened=str(storm.opened),
            event_time=event_time,
            evidence=evidence_of_storm(self.rule, storm.members.values(), self._of(storm), self.rule_set, self.limits),
            cause=cause,
            size=float(len(storm.members)) if counted else 0.0,
            again=again,
        )

    def _of(self, storm: Storm) -> StormOf:
        named = [(series, storm.members[series].finding) for series in sorted(storm.members)]
        return StormOf(self.limit, storm.since, storm.rages, len(storm.apart), digest_of(named))
