"""Composites, judged by event time: what is kept of one in a scope, and what reviews are told.

Each barrier unfolds what can still change again and compares the spans with what was said: one that begins elsewhere
now never was, and one that begins where it did goes on, whatever else became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.correlate.members import evidence_of_members, moved, taking_part
from engine.correlate.unfold import Edge, Edges, Fold, Span, due_of, span_of, unfold
from engine.model.judgement import Judgement
from engine.model.time import Micros, format_time, parse_own_time
from engine.model.trigger import Member, Turn
from engine.rules.resolved.condition import MissingData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from engine.model.limits import Limits
    from engine.model.records import Signal
    from engine.rules.resolved.condition import Composite
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

RESTATED = "a later measurement changed the verdict"


class Told(msgspec.Struct):
    """A span that reviews know of, by where it begins: the findings that it began by, those of `last` time, and the
    members then.
    """

    begin: Micros
    end: Micros | None
    first: tuple[str, ...]
    last: tuple[str, ...]
    members: tuple[str, ...]


class Story(msgspec.Struct):
    """The state of (rule, scope). `edges` by finding, none before `floor`: what lies before is final, and is what
    `carried` comes to. `newest`: event time of the newest edge. `wake`: the tick time at which something is absent.
    """

    rule: str
    scope: str
    edges: dict[str, Edge] = {}
    carried: Fold = msgspec.field(default_factory=Fold)
    said: list[Told] = []
    floor: Micros | None = None
    newest: Micros | None = None
    wake: Micros | None = None


def _nobody(story: Story, final: list[Edge]) -> None:
    """Nobody asks how rules fare."""


class Unfolding:
    """One composite, ready to advance. It keeps no state of its own.

    `patience`: how long after a time the beginning of something awaited may still be heard. `reach`: how far behind the
    newest edge of its scope one may come, or be taken back, and change the verdict; `idle`: how much later on the
    clock of the ticks one may be heard that came in silence. `by_ticks`: members that a
    tick begins (silence) or ends (`no_data: ok`), whatever the event time of what was measured. `told` is given what
    becomes final of a story, before it is let go.
    """

    def __init__(
        self,
        rule: Rule,
        condition: Composite,
        kpis: Mapping[str, str],
        rules: RuleSet,
        limits: Limits,
        told: Callable[[Story, list[Edge]], None] = _nobody,
    ) -> None:
        self._told = told
        self.rule = rule
        self.condition = condition
        self.kpis = kpis
        self.hash = rules.hash
        self.limits = limits
        members = [rules.rule_by_id[name] for name in condition.members if name in rules.rule_by_id]
        missing = {each.id: isinstance(each.condition, MissingData) for each in members}
        self.by_ticks = {each.id: missing[each.id] for each in members if missing[each.id] or each.ends_after}
        self.patience = max((each.lateness + each.idle for each in members if each.id in condition.absent), default=0)
        self.idle = max((each.idle for each in members), default=0)
        self.reach = max((2 * each.window.size + each.lateness + each.grace + each.idle for each in members), default=0)

    def hears(self, rule: str) -> bool:
        """Whether reports of a rule are of this composite."""
        return rule in self.condition.members

    def advance(self, story: Story, reports: Sequence[Signal], now: Micros) -> list[Judgement]:
        """Take a barrier's signals of this scope, in order, and what its tick time `now` makes absent."""
        begun = self._begun(story)
        for report in reports:
            self._take(story, report, now, begun)
        fold, spans = unfold(self.condition, story.carried, story.edges.values())
        on, due = span_of(self.condition, fold), due_of(self.condition, fold, self.patience)
        story.wake = None
        if on is not None and due is not None and now < due and all(told.begin != on.begin for told in story.said):
            on, story.wake = None, due  # once said it stands, whatever else turns out to have begun at that moment
        found = [*self._compare(story, spans if on is None else [*spans, on])]
        self._settle(story, now)
        return found

    def drop(self, story: Story, cause: str) -> list[Judgement]:
        """The rule is gone: what is on never was, as far as the rules of today say."""
        return [self._withdrawn(story, told, cause) for told in story.said if told.end is None]

    def _begun(self, story: Story) -> dict[str, Micros]:
        """When members by ticks began last."""
        if not self.by_ticks:
            return {}
        known = [*story.carried.firing.values(), *(edge for edge in story.edges.values() if edge.begins)]
        return {edge.key: edge.time for edge in sorted(known, key=lambda edge: edge.time) if edge.rule in self.by_ticks}

    def _take(self, story: Story, report: Signal, now: Micros, begun: dict[str, Micros]) -> None:
        """Of a finding that takes another's place the other goes. What is as old as what is final counts as of the
        oldest moment that can change; a change of something final is none, but a beginning taken back is an end.
        """
        before = None if report.replaces is msgspec.UNSET else story.edges.pop(report.replaces, None)
        event_time = parse_own_time(report.event_time)
        floor = event_time if story.floor is None else story.floor
        begins = report.transition == "firing"
        if begins != (report.state == "firing"):
            begun.pop(f"{report.rule}|{report.series}", None)
            if before is None and begins and self._fires_by(story, report):
                story.edges[report.finding] = _edge(report, floor, begins=False, heard=now)
        elif before is not None or report.replaces is msgspec.UNSET or event_time >= floor:
            if report.rule in self.by_ticks:
                event_time = self._by_tick(report, event_time, now, begun)
            time = max(event_time, floor)
            story.newest = max(time, story.newest or time)
            heard = now if before is None else before.heard
            story.edges[report.finding] = _edge(report, time, begins=begins, heard=heard)

    def _by_tick(self, report: Signal, time: Micros, now: Micros, begun: dict[str, Micros]) -> Micros:
        """When a member by ticks began or ended. What ends silence may be of an event time before the tick that found
        it; what silence ends has that of the point judged last, which it may have begun by: over from this barrier on.
        """
        key = f"{report.rule}|{report.series}"
        if report.transition == "firing":
            begun[key] = time
            return time
        since = begun.get(key)
        if since is None or time > since:
            return time
        return now if time == since or self.by_ticks[report.rule] else time

    def _fires_by(self, story: Story, report: Signal) -> bool:
        known = story.carried.firing.get(f"{report.rule}|{report.series}")
        return known is not None and known.finding == report.replaces

    def _compare(self, story: Story, spans: list[Span]) -> Iterator[Judgement]:
        there = {span.begin for span in spans}
        for told in [told for told in story.said if told.begin not in there]:
            story.said.remove(told)
            yield self._withdrawn(story, told, RESTATED)
        known = {told.begin: told for told in story.said}
        for span in spans:
            told = known.get(span.begin) or Told(span.begin, None, *_told_of(span))
            if span.begin not in known:
                story.said.append(told)
                yield self._turn(story, "began", span, span.begin, span.first, None)
            yield from self._goes_on(story, told, span)
        story.said.sort(key=lambda told: told.begin)

    def _goes_on(self, story: Story, told: Told, span: Span) -> Iterator[Judgement]:
        was, before, now = told.end, (told.first, told.last, told.members), _told_of(span)
        told.end, (told.first, told.last, told.members) = span.end, now
        latest = max(span.begin, story.newest or span.begin)
        if was != span.end:
            if span.end is None:
                yield self._turn(story, "resumed", span, latest, span.last, RESTATED)
            elif was is None:
                yield self._turn(story, "ended", span, span.end, span.last, None)
            else:
                yield self._turn(story, "changed", span, span.end, span.first, RESTATED)
        elif span.end is None and before != now:
            cause = RESTATED if before[2] == now[2] else moved(before[2], now[2])
            yield self._turn(story, "changed", span, latest, span.last, cause)
        elif before[0] != now[0]:
            yield self._turn(story, "changed", span, span.begin, span.first, RESTATED)

    def _settle(self, story: Story, now: Micros) -> None:
        """Make final what nothing can change any more. Of a backlog what is heard now may be old already, and what a
        series that fell silent in it has to say follows when it has been silent for long enough.
        """
        if story.newest is None:
            return
        young = (edge.time for edge in story.edges.values() if edge.heard >= now - self.idle)
        floor = max(min([story.newest - self.reach, *young]), story.floor or 0)
        excess = len(story.edges) - self.limits.moments_per_composite_max
        if excess > 0:
            floor = max(floor, sorted(edge.time for edge in story.edges.values())[excess])
        final = [edge for edge in story.edges.values() if edge.time < floor]
        story.floor = floor
        if final:
            self._told(story, final)
            story.carried, _ = unfold(self.condition, story.carried, final)
            story.edges = {name: edge for name, edge in story.edges.items() if edge.time >= floor}
            story.said = [told for told in story.said if told.end is None or told.end >= floor]

    def _withdrawn(self, story: Story, told: Told, cause: str) -> Judgement:
        time = format_time(told.begin)
        return Judgement(story.rule, story.scope, self.hash, "withdrawn", time, time, None, cause=cause)

    def _turn(self, story: Story, turn: Turn, span: Span, time: Micros, edges: Edges, cause: str | None) -> Judgement:
        members = [_member(edge) for edge in sorted(edges, key=lambda edge: edge.key)]
        return Judgement(
            rule=story.rule,
            scope=story.scope,
            rule_set=self.hash,
            turn=turn,
            opened=format_time(span.begin),
            event_time=format_time(time),
            evidence=evidence_of_members(self.rule, members, self.hash, self.limits),
            taking_part=taking_part(members, self.kpis),
            cause=cause,
            size=float(len(members)),
        )


def _told_of(span: Span) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Findings that it began by, findings of now, members of now."""
    first, last = (tuple(sorted(edge.finding for edge in edges)) for edges in (span.first, span.last))
    return first, last, tuple(sorted(edge.key for edge in span.last))


def _edge(report: Signal, time: Micros, *, begins: bool, heard: Micros) -> Edge:
    return Edge(
        rule=report.rule,
        series=report.series,
        time=time,
        begins=begins,
        heard=heard,
        finding=report.finding,
        event_time=report.event_time,
        revision=report.revision,
    )


def _member(edge: Edge) -> Member:
    return Member(
        series=edge.series,
        rule=edge.rule,
        finding=edge.finding,
        event_time=edge.event_time,
        transition="firing",
        revision=edge.revision,
    )
