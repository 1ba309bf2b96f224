"""Composites by event time: from when members began and ended to when the composite was on.

Pure, and folded over time: what is final is carried, and the rest is unfolded again whenever something late comes.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from engine.correlate.clauses import is_met
from engine.model.time import Micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.rules.resolved.condition import Composite


class Edge(msgspec.Struct, frozen=True):
    """A member rule began (`begins`) or ceased to fire on a series, at event time `time`, by a finding.

    `heard`: the tick time of the barrier that brought it first. `event_time` and `revision` are the finding's.
    """

    rule: str
    series: str
    time: Micros
    begins: bool
    heard: Micros
    finding: str
    event_time: str
    revision: int

    @property
    def key(self) -> str:
        """The member."""
        return f"{self.rule}|{self.series}"


Edges = tuple[Edge, ...]


class Wait(msgspec.Struct, frozen=True):
    """What is to be followed by one of `absent`: since when, when that was heard, and the beginnings behind it."""

    since: Micros
    heard: Micros
    edges: Edges


class Span(msgspec.Struct, frozen=True):
    """The composite was on from `begin` to `end` (None: it still is). `first` are the beginnings that it rests on;
    `last` those that it rests on now, or what stood or came when it ended.
    """

    begin: Micros
    end: Micros | None
    first: Edges
    last: Edges


class Fold(msgspec.Struct):
    """All that one moment leaves to the next.

    `firing`: the beginnings of members that fire, by member. `chain`: by step of a sequence but the last, the
    beginnings of the latest run up to it (empty: none). `matched`: the runs whose last rule still fires, by member.
    `holds`: whether it is so, whatever is waited for.
    """

    firing: dict[str, Edge] = {}
    chain: list[Edges] = []
    matched: dict[str, Edges] = {}
    holds: bool = False
    wait: Wait | None = None
    on: Span | None = None


def unfold(condition: Composite, start: Fold, edges: Iterable[Edge]) -> tuple[Fold, list[Span]]:
    """The fold after these edges, which are not before `start`, and the spans that ended on the way, in order."""
    fold = unfolded(start)
    ended = [span for _, spans in moments(condition, fold, edges) for span in spans]
    if fold.on is not None:
        fold.on = msgspec.structs.replace(fold.on, last=_shown(condition, fold))
    return fold, ended


def unfolded(start: Fold) -> Fold:
    """A copy, for `moments`."""
    return msgspec.structs.replace(
        start, firing=dict(start.firing), chain=list(start.chain), matched=dict(start.matched)
    )


def moments(condition: Composite, fold: Fold, edges: Iterable[Edge]) -> Iterator[tuple[Micros, list[Span]]]:
    """Take `fold` from moment to moment; each with the spans that ended by it."""
    for time, group in groupby(sorted(edges, key=_place), key=lambda edge: edge.time):
        yield time, _advance(condition, fold, time, list(group))


def _place(edge: Edge) -> tuple[Micros, str, str, bool, int, str]:
    return edge.time, edge.rule, edge.series, edge.begins, edge.revision, edge.finding


def span_of(condition: Composite, fold: Fold) -> Span | None:
    """The span that is on after all edges; of something absent the one that is, once that is known."""
    if not condition.absent or fold.wait is None:
        return fold.on
    return Span(fold.wait.since + condition.within, None, fold.wait.edges, fold.wait.edges)


def due_of(condition: Composite, fold: Fold, patience: Micros) -> Micros | None:
    """The tick time from which on what has not come is absent; None when nothing is waited for."""
    return None if fold.wait is None else fold.wait.heard + condition.within + patience


def _advance(condition: Composite, fold: Fold, time: Micros, group: list[Edge]) -> list[Span]:
    _count(fold, group)
    if condition.op == "sequence":
        _match(condition, fold, time, group)
    was, fold.holds = fold.holds, _holds(condition, fold)
    if condition.absent:
        return _await(condition, fold, time, group, rises=fold.holds and not was)
    ended: list[Span] = []
    if fold.on is not None and not fold.holds:
        ended.append(Span(fold.on.begin, time, fold.on.first, _shown(condition, fold)))
        fold.on = None
    elif fold.on is None and fold.holds:
        shown = _shown(condition, fold)
        fold.on = Span(time, None, shown, shown)
    return ended


def _count(fold: Fold, group: Sequence[Edge]) -> None:
    """A member that begins and ends at one time does as often as it says; what is left of that counts."""
    for key, of_member in groupby(group, key=lambda edge: edge.key):
        edges = list(of_member)
        begun = [edge for edge in edges if edge.begins]
        if (key in fold.firing) + 2 * len(begun) - len(edges) <= 0:
            fold.firing.pop(key, None)
        elif begun:
            fold.firing[key] = begun[-1]


def _match(condition: Composite, fold: Fold, time: Micros, group: Sequence[Edge]) -> None:
    """Of all runs up to a step the one that began last is kept: where any is within the time, that one is."""
    steps, last = condition.rules[:-1], condition.rules[-1]
    chain = fold.chain or [() for _ in steps]
    begun: dict[str, list[Edge]] = {}
    for edge in group:
        fold.matched.pop(edge.key, None)
        if edge.begins:
            begun.setdefault(edge.rule, []).append(edge)
    if chain[-1] and time - chain[-1][0].time <= condition.within:
        fold.matched |= {each.key: (*chain[-1], each) for each in begun.get(last, ()) if each.key in fold.firing}
    for step in reversed(range(len(steps))):
        if steps[step] in begun and (step == 0 or chain[step - 1]):
            chain[step] = (*(chain[step - 1] if step else ()), begun[steps[step]][0])
    fold.chain = chain


def _holds(condition: Composite, fold: Fold) -> bool:
    firing = {edge.rule for edge in fold.firing.values()}
    if condition.op == "sequence":
        return bool(fold.matched) and firing.isdisjoint(condition.without)
    return is_met(condition, firing)


def _shown(condition: Composite, fold: Fold) -> Edges:
    """What it rests on: the members that fire, of a sequence its earliest run that stands; or what holds it back."""
    if condition.op == "sequence" and fold.holds:
        return min(fold.matched.values(), key=lambda run: (run[-1].time, run[-1].key))
    rules = {*condition.without, *(() if condition.op == "sequence" else condition.rules)}
    return tuple(fold.firing[key] for key in sorted(fold.firing) if fold.firing[key].rule in rules)


def _await(condition: Composite, fold: Fold, time: Micros, group: Sequence[Edge], *, rises: bool) -> list[Span]:
    """What comes within the time answers; what comes after it, or a new beginning then, ends the alarm."""
    came = {edge.key: edge for edge in group if edge.begins and edge.rule in condition.absent}
    ended: list[Span] = []
    if fold.wait is not None and (came or rises) and time > fold.wait.since + condition.within:
        ended.append(Span(fold.wait.since + condition.within, time, fold.wait.edges, tuple(came.values())))
        fold.wait = None
    if rises and fold.wait is None:
        fold.wait = Wait(time, max(edge.heard for edge in group if _helps(condition, edge)), _shown(condition, fold))
    if came:
        fold.wait = None
    return ended


def _helps(condition: Composite, edge: Edge) -> bool:
    """Whether an edge may have made it so: a beginning of what must fire, or the end of what must not."""
    return edge.rule in (condition.rules if edge.begins else condition.without)
