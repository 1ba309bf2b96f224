"""The slow twin of stage 1 for rules whose alerts end by silence: what was judged before one stays as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from naive_stage1 import NaiveSeries, judge, waited

if TYPE_CHECKING:
    from naive_stage1 import Said

    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule


@dataclass
class Past:
    """Of one rule: the points that are final by silence, which measurements were there, and the silences by how many
    points were before them.
    """

    points: list[Any] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    silences: dict[int, tuple[Any, ...]] = field(default_factory=dict)


class NaiveEnding(NaiveSeries):
    """As the twin of stage 1, for rules that have `ends_after`."""

    def __init__(self, kpi: Kpi, rules: list[Rule]) -> None:
        super().__init__(kpi, rules)
        self.past = {rule.id: Past() for rule in rules}

    def points(self, rule: Rule) -> list[tuple[Micros, float, int, Any]]:
        past = self.past[rule.id]
        if not past.points:
            return super().points(rule)
        last = past.points[-1]
        if rule.points == "raw":
            since = [m for m in self.measured if rule.id in m.raw and m.id not in past.names]
            return [*past.points, *((m.time, m.value, 0, m.id) for m in sorted(since, key=lambda m: m.time))]
        return [*past.points, *(each for each in super().points(rule) if each[2] > last[2])]

    def takes(self, rule: Rule, time: Micros) -> bool:
        past, still = self.past[rule.id].points, (self.newest or 0) - waited(rule)
        final = waited(rule) > 0 and past and past[-1][0] >= still and time <= past[-1][0]
        return super().takes(rule, time) and not final

    def is_open(self, rule: Rule, time: Micros) -> bool:
        past = self.past[rule.id].points
        return super().is_open(rule, time) and not (past and time <= past[-1][0])

    def tick(self, time: Micros) -> list[Said]:
        found = super().tick(time)
        for rule in self.rules:
            past, points = self.past[rule.id], self.points(rule)
            if rule.ends_after and time - self.waiting >= rule.ends_after and len(points) > len(past.points):
                past.points, past.names = points, {m.id for m in self.measured}
                past.silences[len(points)] = ("silence", self.newest, self.waiting, time)
        return [*found, *self.difference()]

    def judged(self, rule: Rule) -> list[Said]:
        return judge(rule, self.points(rule), self.past[rule.id].silences)
