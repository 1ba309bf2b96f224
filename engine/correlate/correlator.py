"""The correlator: everything of stage 2 that waits for barriers, as one value that can be written in pages.

`advance` takes a completed barrier and gives judgements. Reviews are made of these elsewhere.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from engine.correlate.align import aligned_of
from engine.correlate.governance.renewal import WHOLE, notices
from engine.correlate.governance.watch import Watch
from engine.correlate.governance.watching import Watching
from engine.correlate.groups import Group, Grouping
from engine.correlate.join import Facts
from engine.correlate.storms import Storm, Storming
from engine.correlate.story import Story, Unfolding
from engine.correlate.track import Track
from engine.correlate.turns import turns
from engine.model.finding import Finding
from engine.model.judgement import Judgement
from engine.model.records import JoinRecord, Signal
from engine.rules.own_rules import is_version_rule
from engine.rules.resolved.condition import Composite, MissingData, OverWindows
from engine.rules.resolved.governance import GovernanceCondition
from engine.rules.versions import why_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.correlate.aligned import Aligned
    from engine.correlate.barrier import Barrier, Joinable
    from engine.correlate.trace import Looked, Trace
    from engine.correlate.unfold import Edge
    from engine.model.limits import Limits
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet

Key = tuple[str, str]
"""(rule, scope)."""


class Joined(msgspec.Struct):
    """What is kept of one (rule, scope): a track for what is joined window by window, a group for silence and
    `group_by`, a story for composites, a watch for governance, a storm for rules with a `limit`.

    `fingerprint` is of the rule that it was made by.
    """

    fingerprint: str
    track: Track | None = None
    group: Group | None = None
    story: Story | None = None
    watch: Watch | None = None
    storm: Storm | None = None


class Correlator:
    """The joins of one findings partition under one rule set at a time.

    `owns` says whether a record key belongs to this partition. `dirty` names what changed since it was last cleared.
    `counts` counts what is left out, and `trace` is told what was judged: they are no part of the state.
    """

    def __init__(self, rules: RuleSet, limits: Limits, owns: Callable[[str], bool]) -> None:
        self.limits = limits
        self._owns = owns
        self.facts = Facts()
        self.joined: dict[Key, Joined] = {}
        self.dirty: set[Key] = set()
        self.counts: dict[str, int] = {}
        self.trace: Trace | None = None
        self._wakes: list[tuple[Micros, Key]] = []
        self._fired: dict[str, list[Signal]] = {}
        self._activations = 0
        self._passing: list[Finding] = []
        self._use(rules)

    def _use(self, rules: RuleSet) -> None:
        self.rules = rules
        self.aligned: dict[str, Aligned] = {}
        self.groupings: dict[str, Grouping] = {}
        self.unfoldings: dict[str, Unfolding] = {}
        self.watchings: dict[str, Watching] = {}
        self.stormings: dict[str, Storming] = {}
        kpis = {rule.id: rule.kpi for rule in rules.rules if rule.kpi is not None}
        for rule in rules.rules:
            if rule.mode == "off":
                continue
            if isinstance(rule.condition, OverWindows):
                self.aligned[rule.id] = aligned_of(rule, rules)
            elif isinstance(rule.condition, GovernanceCondition):
                self.watchings[rule.id] = Watching(rule, rules, self.limits, self._looked)
            elif isinstance(rule.condition, Composite):
                self.unfoldings[rule.id] = Unfolding(rule, rule.condition, kpis, rules, self.limits, self._let_go)
            elif isinstance(rule.condition, MissingData) or rule.group_by is not None:
                self.groupings[rule.id] = Grouping(rule, rules.hash, self.limits)
            elif rule.limit is not msgspec.UNSET:
                self.stormings[rule.id] = Storming(rule, rule.limit, rules.hash, self.limits)
        self._clocked = [
            name for name in sorted(self.watchings) if self.watchings[name].clocked and self._owns(f"{name}|{WHOLE}")
        ]

    def advance(self, barrier: Barrier) -> list[Judgement | Finding]:
        """Take the records of a barrier and what its time makes due; judgements by rule and scope, and findings that
        reviews of single series are told.
        """
        shares, reports = self._sorted_out(barrier)
        for name in self._clocked:
            shares.setdefault((name, WHOLE), [])
        while self._wakes and self._wakes[0][0] <= barrier.time:
            _, key = heapq.heappop(self._wakes)
            if key in self.joined:
                (reports if key[0] in self.unfoldings else shares).setdefault(key, [])
        found: list[Judgement | Finding] = [*self._passing]
        for key in sorted(shares):
            found += self._advance_watch(key, shares[key], barrier.time)
            found += self._advance_track(key, shares[key], barrier.time)
        for key in sorted(reports):
            if key[0] in self.unfoldings:
                found += self._advance_story(key, reports[key], barrier.time)
            elif key[0] in self.stormings:
                found += self._advance_storm(key, reports[key])
            else:
                found += self._advance_group(key, reports[key])
        return found

    def _sorted_out(self, barrier: Barrier) -> tuple[dict[Key, list[Joinable]], dict[Key, list[Finding | Signal]]]:
        shares: dict[Key, list[Joinable]] = {}
        reports: dict[Key, list[Finding | Signal]] = {}
        self._fired, self._activations, self._passing = {}, 0, []
        for record in barrier.records:
            if isinstance(record, JoinRecord):
                if record.correlation in self.aligned or record.correlation in self.watchings:
                    shares.setdefault((record.correlation, record.scope), []).append(record)
                else:
                    self._count("join_record_of_unknown_rule")
                continue
            rule = record.correlation if isinstance(record, Signal) else record.rule
            if isinstance(record, Finding) and record.storm:
                if rule in self.stormings:
                    reports.setdefault((rule, record.storm), []).append(record)
                else:
                    self._passing.append(record)  # its rule has no limit any more, or is gone
            elif isinstance(record, Signal) and is_version_rule(rule):
                self._fired.setdefault(rule, []).append(record)
            elif rule in self.watchings:
                shares.setdefault((rule, record.scope), []).append(record)
            elif rule in self.groupings or (rule in self.unfoldings and self.unfoldings[rule].hears(record.rule)):
                reports.setdefault((rule, record.scope), []).append(record)
            else:
                self._count("signal_of_unknown_rule")
        return shares, reports

    def _advance_watch(self, key: Key, records: list[Joinable], time: Micros) -> list[Judgement]:
        watching = self.watchings.get(key[0])
        if watching is None:
            return []
        joined = self.joined.get(key)
        if joined is None or joined.watch is None:
            joined = self.joined[key] = Joined(watching.rule.fingerprint, watch=Watch(key[0], key[1]))
        watch = joined.watch
        if watch is None:
            return []
        wake = watch.wake
        self._count("shares_late", watching.late(watch, records))
        found = watching.advance(watch, records, time)
        self._wake_again(key, wake, watch.wake)
        if records or found or not watching.clocked:
            self.dirty.add(key)
        return found

    def _advance_track(self, key: Key, records: list[Joinable], time: Micros) -> list[Judgement]:
        aligned = self.aligned.get(key[0])
        if aligned is None:
            return []
        joined = self.joined.get(key)
        if joined is None:
            joined = self.joined[key] = Joined(aligned.rule.fingerprint, track=Track(key[0], key[1]))
        track = joined.track
        if track is None:
            return []
        wake = track.wake
        shares = [record for record in records if isinstance(record, JoinRecord)]
        self._count("shares_late", sum(aligned.is_final(track, share) for share in shares))
        judged = aligned.advance(track, shares, time, self.facts)
        found = turns(aligned, track, judged, self.limits)
        if self.trace is not None:
            self.trace.windows_are_final(aligned, track, aligned.final(track))
        aligned.settle(track, self.facts)
        self._wake_again(key, wake, track.wake)
        self.dirty.add(key)
        self._count("windows_judged", len(judged))
        return found

    def _advance_group(self, key: Key, reports: list[Finding | Signal]) -> list[Judgement]:
        grouping, joined = self.groupings[key[0]], self.joined.get(key)
        if joined is None:
            joined = self.joined[key] = Joined(grouping.rule.fingerprint, group=Group(key[0], key[1]))
        group = joined.group
        if group is None:
            return []
        self.dirty.add(key)
        return grouping.advance(group, [each for each in reports if isinstance(each, Finding)])

    def _advance_storm(self, key: Key, reports: list[Finding | Signal]) -> list[Finding | Judgement]:
        storming, joined = self.stormings[key[0]], self.joined.get(key)
        if joined is None:
            joined = self.joined[key] = Joined(storming.rule.fingerprint, storm=Storm(*key))
        if joined.storm is None:
            return []
        self.dirty.add(key)
        return storming.advance(joined.storm, [each for each in reports if isinstance(each, Finding)])

    def _advance_story(self, key: Key, reports: list[Finding | Signal], time: Micros) -> list[Judgement]:
        unfolding = self.unfoldings[key[0]]
        joined = self.joined.get(key)
        if joined is None:
            joined = self.joined[key] = Joined(unfolding.rule.fingerprint, story=Story(key[0], key[1]))
        story = joined.story
        if story is None:
            return []
        self.dirty.add(key)
        wake = story.wake
        found = unfolding.advance(story, [each for each in reports if isinstance(each, Signal)], time)
        self._wake_again(key, wake, story.wake)
        if story.newest is None:
            del self.joined[key]  # what was taken back was none of its own: it says nothing of the scope
        return found

    def _let_go(self, story: Story, final: list[Edge]) -> None:
        if self.trace is not None:
            self.trace.moments_are_final(self.unfoldings[story.rule].condition, story, final)

    def _looked(self, watch: Watch, looks: list[Looked]) -> None:
        if self.trace is not None:
            self.trace.looked(watch, looks)

    def _wake_again(self, key: Key, before: Micros | None, now: Micros | None) -> None:
        if now is not None and now != before:
            heapq.heappush(self._wakes, (now, key))

    def activate(self, rules: RuleSet, now: Micros) -> list[Judgement]:
        """Go over to another rule set at the barrier of time `now`: joins of rules that are gone or changed are
        dropped, what was on withdrawn.
        """
        found: list[Judgement] = []
        fingerprints = {rule.id: rule.fingerprint for rule in rules.rules if rule.mode != "off"}
        for key in sorted(self.joined):
            joined = self.joined[key]
            if fingerprints.get(key[0]) == joined.fingerprint:
                continue
            found += self._drop(key, self._why(key[0], rules))
        before = self.rules
        self._use(rules)
        for key in sorted(self.joined):
            watch, watching = self.joined[key].watch, self.watchings.get(key[0])
            if watch is not None and watching is not None:
                found += watching.activated(watch, before, now)
                self.dirty.add(key)
        # A notice is known by its time; another activation at this barrier ends nothing that was on before this one.
        found += notices(before, rules, self._fired, now + self._activations, self.limits, self._owns)
        self._fired, self._activations = {}, self._activations + 1
        return found

    def _why(self, name: str, rules: RuleSet) -> str:
        """Why the joins of a rule are dropped; one that is off is as good as gone."""
        after = rules.rule_by_id.get(name)
        if after is None or after.mode == "off":
            return "rule removed"
        return why_changed(self.rules.rule_by_id[name], self.rules, rules)

    def _drop(self, key: Key, cause: str) -> list[Judgement]:
        joined = self.joined.pop(key)
        self.dirty.add(key)
        if self.trace is not None:
            self.trace.dropped(*key)
        if joined.group is not None:
            return self.groupings[key[0]].drop(joined.group, cause)
        if joined.story is not None:
            return self.unfoldings[key[0]].drop(joined.story, cause)
        if joined.watch is not None:
            return self.watchings[key[0]].dropped(joined.watch, cause)
        if joined.storm is not None:
            return self.stormings[key[0]].drop(joined.storm, cause)
        track, aligned = joined.track, self.aligned[key[0]]
        if track is None:
            return []
        aligned.withdraw_facts(track, track.steps, self.facts)
        return [
            Judgement(
                rule=track.rule,
                scope=track.scope,
                rule_set=aligned.hash,
                turn="withdrawn",
                opened=said.opened,
                event_time=said.opened,
                evidence=None,
                taking_part=said.joined,
                cause=cause,
            )
            for said in track.said
            if said.end is None
        ]

    def restore(self, joined: Mapping[Key, Joined]) -> None:
        """Become what was written, facts included."""
        self.facts.close()
        self.joined = dict(joined)
        self.dirty.clear()
        self._wakes = []
        for key, each in sorted(self.joined.items()):
            track, watch = each.track, each.watch
            if track is not None and key[0] in self.aligned:
                self.aligned[key[0]].assert_again(track, self.facts)
                if track.wake is not None:
                    heapq.heappush(self._wakes, (track.wake, key))
            if watch is not None and watch.wake is not None:
                heapq.heappush(self._wakes, (watch.wake, key))
            if each.story is not None:
                self._wake_again(key, None, each.story.wake)

    def close(self) -> None:
        """Retract every fact."""
        self.facts.close()

    def _count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by
