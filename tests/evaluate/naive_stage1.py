"""The slow obvious twin of stage 1 for one series: after every record everything is judged again from the start.

It keeps plain lists, and what it has said is the difference between two judgements.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from naive_aggregates import aggregate
from naive_anomaly import NaiveAnomaly
from naive_control import NaiveControl
from naive_trend import NaiveTrend

from engine.model.time import SECOND
from engine.rules.resolved.condition import Anomaly, Change, MissingData, Threshold, TrendBreak
from engine.rules.resolved.control import ControlChart

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.resolved.rule import Rule


@dataclass
class Measured:
    id: str
    time: Micros
    value: float
    windows: set[tuple[Any, int]] = field(default_factory=set)
    """(view, index) of the windows that it counts in."""
    raw: set[str] = field(default_factory=set)
    """The raw rules that it counts for."""


@dataclass
class Said:
    rule: str
    transition: str
    time: Micros
    status: str
    value: float | None
    opened: Micros
    points: int
    worst: float
    evidence: tuple[Any, ...] = ()
    """The parts of its window (its id for a raw point), and the values that it was held against."""


def view_of(rule: Rule) -> tuple[int, int, int, int, int]:
    return (rule.window.size, rule.window.step, rule.lateness, rule.idle, rule.grace)


class NaiveSeries:
    """One series under `rules` of `kpi`; fixed windows only (calendars have a test of their own)."""

    def __init__(self, kpi: Kpi, rules: list[Rule]) -> None:
        self.kpi = kpi
        self.rules = rules
        own = (kpi.window.size, kpi.window.step, kpi.lateness, kpi.idle, kpi.grace)
        self.views = list(dict.fromkeys([own, *(view_of(r) for r in rules if self.windowed(r))]))
        self.measured: list[Measured] = []
        self.revisions: dict[str, int] = {}
        self.newest: Micros | None = None
        self.waiting: Micros | None = None
        self.idle_bound: dict[Any, int] = {}
        """By view: idleness has closed every window below this index."""
        self.raw_newest: dict[str, Micros] = {}
        self.silent: dict[str, Micros] = {}
        self.said: dict[tuple[Any, ...], Said] = {}

    @staticmethod
    def windowed(rule: Rule) -> bool:
        return rule.points == "window" and not isinstance(rule.condition, MissingData)

    def final(self, view: Any, index: int) -> bool:
        """No measurement can change window `index` any more."""
        _, step, lateness, _, grace = view
        return self.newest is not None and (index + 1) * step + lateness + grace <= self.newest

    def closed(self, view: Any, index: int) -> bool:
        """The watermark has passed window `index`, and what it waits for late ones."""
        _, step, lateness, _, _ = view
        return self.newest is not None and (index + 1) * step + lateness <= self.newest

    def indexes(self, view: Any, time: Micros) -> range:
        size, step, *_ = view
        first = time // step
        return range(first, first + size // step)

    def measure(self, identifier: str, time: Micros, value: float, revision: int = 0) -> list[Said]:
        if self.refuses(time):
            return []
        if identifier in self.revisions:
            return self.restate(identifier, value, revision)
        self.revisions[identifier] = revision
        self.newest = time if self.newest is None else max(self.newest, time)
        self.waiting = None
        measured = Measured(identifier, time, value)
        for view in self.views:
            measured.windows |= {(view, i) for i in self.indexes(view, time) if not self.final(view, i)}
        for rule in self.rules:
            if rule.points == "raw" and self.takes(rule, time):
                if waited(rule) == 0 and time < self.raw_newest.get(rule.id, time):
                    continue
                self.raw_newest[rule.id] = max(time, self.raw_newest.get(rule.id, time))
                measured.raw.add(rule.id)
        self.measured.append(measured)
        ended = [
            Said(r.id, "resolved", time, "new", value, self.silent.pop(r.id), 1, 0.0)
            for r in self.rules
            if r.id in self.silent
        ]
        return [*self.difference(), *ended]

    def takes(self, rule: Rule, time: Micros) -> bool:
        """Whether a raw point that has just come is not too late."""
        return self.newest is not None and time >= self.newest - waited(rule)

    def restate(self, identifier: str, value: float, revision: int) -> list[Said]:
        """It has another value from now on, wherever it still counts."""
        if revision <= self.revisions[identifier]:
            return []
        self.revisions[identifier] = revision
        place = max(n for n, m in enumerate(self.measured) if m.id == identifier)  # before it: what became final of it
        former = self.measured[place]
        kept = {(view, i) for view, i in former.windows if not self.final(view, i)}
        final_raw = {r.id for r in self.rules if r.id in former.raw and not self.is_open(r, former.time)}
        # What is final stays as it was: a part of the measurement with the former value.
        now = Measured(identifier, former.time, value, kept, former.raw - final_raw)
        then = Measured(identifier, former.time, former.value, former.windows - kept, final_raw)
        self.measured[place : place + 1] = [then, now]
        return self.difference()

    def is_open(self, rule: Rule, time: Micros) -> bool:
        """Whether a raw point of this time can still change."""
        return self.newest is not None and waited(rule) > 0 and time >= self.newest - waited(rule)

    def refuses(self, time: Micros) -> bool:
        """Every view that could still take it is closed to it."""
        if self.newest is None:
            return False
        windows = any(not self.final(view, i) for view in self.views for i in self.indexes(view, time))
        raw = any(r.points == "raw" and time >= self.newest - waited(r) for r in self.rules)
        return not windows and not raw

    def tick(self, time: Micros) -> list[Said]:
        if self.waiting is None:
            self.waiting = time
        for view in self.views:
            if time - self.waiting >= view[3]:
                held = [index for m in self.measured for name, index in m.windows if name == view]
                self.idle_bound[view] = max(held, default=-(2**62)) + 1
        found = []
        for rule in self.rules:
            if isinstance(rule.condition, MissingData) and rule.id not in self.silent:
                age = time - self.waiting
                if age >= rule.condition.after:
                    self.silent[rule.id] = time
                    found.append(Said(rule.id, "firing", time, "new", None, time, 1, age / 1e6))
        return [*self.difference(), *found]

    def points(self, rule: Rule) -> list[tuple[Micros, float, int, Any]]:
        """(event time, value, window index, parts) of everything that `rule` has seen, in event-time order."""
        if rule.points == "raw":
            return [(m.time, m.value, 0, m.id) for m in sorted(self.measured, key=lambda m: m.time) if rule.id in m.raw]
        view = view_of(rule)
        step = view[1]
        content: dict[int, list[Measured]] = {}
        for measured in self.measured:
            for name, index in measured.windows:
                if name == view:
                    content.setdefault(index, []).append(measured)
        closed = [i for i in content if i < self.idle_bound.get(view, -(2**62)) or self.closed(view, i)]
        return [((i + 1) * step, *self.whole(view, i, content[i])) for i in sorted(closed)]

    def whole(self, view: Any, index: int, members: list[Measured]) -> tuple[float, int, Any]:
        """The value of a window, its index and its parts."""
        cells: dict[int, list[float]] = {}
        for member in members:
            cells.setdefault(member.time // view[1], []).append(member.value)
        held = [cells[cell] for cell in sorted(cells)]
        values = [member.value for member in members]
        newest = max(m.time for m in members)
        last = [m.value for m in members if m.time == newest][-1]
        total = aggregate("sum", held, last, 1.0)
        parts = (float(len(values)), total, min(values), max(values), sum(v != 0 for v in values), last)
        return aggregate(self.kpi.aggregation, held, last, view[0] / SECOND), index, parts

    def judged(self, rule: Rule) -> list[Said]:
        """All that the rule says of its points, from the start."""
        return [] if isinstance(rule.condition, MissingData) else judge(rule, self.points(rule))

    def difference(self) -> list[Said]:
        now = {}
        for rule in self.rules:
            for said in self.judged(rule):
                repeat = 0
                while (key := (rule.id, said.time, said.transition, repeat)) in now:
                    repeat += 1
                now[key] = said
        changes = [replaced(old, "withdrawn") for key, old in self.said.items() if key not in now]
        for key, said in now.items():
            old = self.said.get(key)
            if old is None:
                changes.append(said)
            elif old != said:
                changes.append(replaced(said, "amended"))
        self.said = now
        return changes


def waited(rule: Rule) -> Micros:
    """How long raw points can come late: nothing closes that they could be late for."""
    return rule.lateness + rule.grace


def replaced(said: Said, status: str) -> Said:
    return Said(
        said.rule, said.transition, said.time, status, said.value, said.opened, said.points, said.worst, said.evidence
    )


def judge(  # noqa: C901, PLR0912 (written out)
    rule: Rule, points: list[tuple[Micros, float, int, Any]], silences: dict[int, tuple[Any, ...]] | None = None
) -> list[Said]:
    """Walk through all points with the state machine written out. `silences`: after how many points one ended all that
    was on, and what it rests on.
    """
    said = []
    by_index = {index: value for _, value, index, _ in points}
    firing, since, clear_since, opened = False, None, None, 0
    count, worst, worst_excess, told = 0, 0.0, 0.0, 0.0
    twin = twin_of(rule)
    recent: list[bool] = []
    for number, (time, value, index, parts) in enumerate([*points, (0, 0.0, 0, None)]):
        if silences and number in silences:
            if firing:
                ended = points[number - 1][0]
                said.append(Said(rule.id, "resolved", ended, "new", None, opened, count, worst, silences[number]))
            firing, since, clear_since, recent = False, None, None, []
        if number == len(points):
            break
        verdict, basis = verdict_of(rule, twin, value, index, by_index, firing=firing)
        evidence = (parts, *basis)
        if verdict is None or number < rule.warm_up:
            continue
        broken, excess = verdict
        if rule.at_least is not None:
            recent.append(broken)
            broken = sum(recent[-rule.at_least[1] :]) >= rule.at_least[0]
        if broken:
            if since is None:
                since, count, worst, worst_excess = time, 0, value, excess
            clear_since = None
            count += 1
            if excess > worst_excess:
                worst, worst_excess = value, excess
                if firing and is_step(rule, worst, told):
                    said.append(Said(rule.id, "worsened", time, "new", value, opened, count, worst, (*evidence, told)))
                    told = worst
            if not firing and time - since >= rule.for_:
                firing, opened, told = True, time, worst
                said.append(Said(rule.id, "firing", time, "new", value, opened, count, worst, evidence))
        elif not firing:
            since = None
        else:
            if clear_since is None:
                clear_since = time
            if time - clear_since >= rule.keep_firing_for:
                firing, since, clear_since = False, None, None
                untested = without_statistic(twin, evidence)
                said.append(Said(rule.id, "resolved", time, "new", value, opened, count, worst, untested))
    return said


def without_statistic(twin: Any, evidence: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where a rule resolves, nothing is told of what a break or an incident was held against."""
    place = 6 if isinstance(twin, NaiveTrend) else 3 if isinstance(twin, NaiveAnomaly) else None
    return evidence if place is None else (*evidence[:place], "", *evidence[place + 1 :])


def is_step(rule: Rule, worst: float, told: float) -> bool:
    step = rule.review.renotify
    return step is not None and abs(worst - told) >= (step.by * abs(told) if step.relative else step.by)


def verdict_of(
    rule: Rule,
    twin: NaiveTrend | NaiveAnomaly | NaiveControl | None,
    value: float,
    index: int,
    by_index: dict[int, float],
    *,
    firing: bool,
) -> tuple[tuple[bool, float] | None, list[Any]]:
    """(breach, excess), and what that rests on."""
    if isinstance(twin, NaiveTrend):
        return trend_verdict(twin, index, value)
    if isinstance(twin, NaiveAnomaly):
        return anomaly_verdict(twin, index, value)
    if isinstance(twin, NaiveControl):
        return control_verdict(twin, index, value)
    return breach(rule, value, index, by_index, firing=firing), earlier_values(rule, index, by_index)


def twin_of(rule: Rule) -> NaiveTrend | NaiveAnomaly | NaiveControl | None:
    if isinstance(rule.condition, ControlChart):
        return NaiveControl(rule.condition)
    if isinstance(rule.condition, Anomaly):
        return NaiveAnomaly(rule.condition, rule.window, waits(rule))
    return NaiveTrend(rule.condition, rule.window.step, waits(rule)) if isinstance(rule.condition, TrendBreak) else None


def waits(rule: Rule) -> Micros:
    """As long as a break or an incident must be on before the rule fires: it is not the usual before that."""
    return rule.for_ + (0 if rule.at_least is None else (rule.at_least[0] - 1) * rule.window.step)


def anomaly_verdict(twin: NaiveAnomaly, index: int, value: float) -> tuple[tuple[bool, float] | None, list[Any]]:
    """(breach, excess) and what the evidence says of it."""
    found = twin.judge(index, value)
    if found is None:
        return None, []
    listed = [(at.index, at.value, *(f"{each:.6g}" for each in (at.usual, at.low, at.high))) for at in found.run]
    state = "unusual" if found.breach else "usual" if found.settled else "returned"
    return (found.breach, found.outside), [state, found.began, f"{found.score:.6g}", *(listed if found.breach else [])]


def control_verdict(twin: NaiveControl, index: int, value: float) -> tuple[tuple[bool, float] | None, list[Any]]:
    """(breach, excess) and what the evidence says of it."""
    found = twin.judge(index, value)
    if found is None:
        return None, []
    away = value - found.centre
    excess = abs(away) if found.side == 0 else found.side * away
    learned = (found.centre, found.sigma, found.learned, found.judged)
    evidence = [tuple(found.rules), found.side, found.statistic, found.limit, *learned, found.onset]
    return (found.breach, excess), [*evidence, *found.points]


def trend_verdict(trend: NaiveTrend, index: int, value: float) -> tuple[tuple[bool, float] | None, list[Any]]:
    """(breach, excess) and what the evidence says of it."""
    found = trend.judge(index, value)
    if found is None:
        return None, []
    numbers = (f"{found.size:.6g}", f"{found.statistic:.6g}")
    points = [point for point in trend.under_test if not found.breach or point[0] > trend.since]
    listed = tuple((at, held, f"{trend.usual(at):.6g}") for at, held in points)
    evidence = [found.shape, found.phase, found.sign, int(found.onset), *numbers, *listed]
    return (found.breach, found.sign * (value - found.usual)), evidence


def breach(
    rule: Rule, value: float, index: int, by_index: dict[int, float], *, firing: bool
) -> tuple[bool, float] | None:
    """(breach, how far past the limit), None when nothing can be said."""
    condition = rule.condition
    if isinstance(condition, Threshold):
        low, high, back = condition.low, condition.high, condition.recover_at
        if condition.op == "above":
            return value > (back if firing and back is not None else high), value - high
        if condition.op == "below":
            return value < (back if firing and back is not None else low), low - value
        outside = max(low - value, value - high)
        return (outside > 0, outside) if condition.op == "outside" else (outside <= 0, -outside)
    assert isinstance(condition, Change)
    earlier = earlier_values(rule, index, by_index)
    if any(v is None for v in earlier):
        return None
    usual = statistics.median(earlier)
    change = value - usual
    if condition.relative:
        if usual == 0:
            return None
        change /= abs(usual)
    over = change - condition.up if condition.up is not None else float("-inf")
    under = -condition.down - change if condition.down is not None else float("-inf")
    return max(over, under) > 0, max(over, under)


def earlier_values(rule: Rule, index: int, by_index: dict[int, float]) -> list[float | None]:
    """What a change is held against, oldest first; nothing for a threshold."""
    condition = rule.condition
    if not isinstance(condition, Change):
        return []
    day = 86_400_000_000 // rule.window.step
    lag = {"windows": 1, "days": day, "weekdays": 7 * day}[condition.reference]
    return [by_index.get(index - j * lag) for j in range(condition.count, 0, -1)]
