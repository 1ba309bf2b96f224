"""Evidence of a trend break, recomputed from its points by the kernels that found it: statistic, onset and size."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.kernels.baseline import CLIP, clipped
from engine.kernels.cusum import cusum, jump
from engine.kernels.ewma import ewma
from engine.kernels.mann_kendall import mann_kendall
from engine.kernels.ordering import median_within
from engine.kernels.theil_sen import theil_sen
from engine.kernels.trend_layout import RECENT
from engine.kernels.trend_level import JUMP_MOST, RETURN_LIMIT, SLACK
from engine.model.time import DAY
from engine.offline.explain.account import Check, Line, holds, same, shown
from engine.offline.explain.case import micros
from engine.offline.explain.often import asked_of_last
from engine.review.numbers import number
from engine.rules.resolved.condition import TrendBreak as TrendBreakRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.finding import Evidence, TrendBreak, TrendPoint, WindowPoint
    from engine.model.trigger import FindingName
    from engine.offline.explain.case import Case

TREND = "data.evidence.trend"
_NEAR = 1e-9
"""How near a slope comes out: the evidence has its points on the line of the former slope, and not freed of it."""


def trend_lines(case: Case, evidence: Evidence, point: WindowPoint, moved_by: FindingName) -> Iterator[Line]:
    """What the break was held against, and what comes out."""
    trend, rule = evidence.trend, case.rule.condition
    if trend is None or not isinstance(rule, TrendBreakRule):
        raise ValueError("expected the break that a trend_break tells of")
    told = _Level(case, evidence, trend, rule) if trend.shape == "level" else _Slope(case, evidence, trend, rule)
    fires, broken = moved_by.transition == "firing", trend.state == "broken"
    asked = asked_of_last(case, moved_by)
    state = holds(f"{TREND}.state", trend.state, true=asked in (None, broken), why="broken while it fires")
    yield Line("break", f"{trend.shape}, {trend.direction}: {trend.state}", (state,))
    yield told.points_line(point, broken=broken)
    if fires and broken:
        yield from told.fired()
    else:
        yield told.untested(tested=fires)
        yield from () if broken else told.ended()
    yield told.size_line()


class _Break:
    """What both shapes have in common. `cells` are the numbers of the points' windows or stretches."""

    def __init__(self, case: Case, evidence: Evidence, trend: TrendBreak, rule: TrendBreakRule) -> None:
        self.case, self.evidence, self.trend, self.rule = case, evidence, trend, rule
        self.row: Any = case.rule_row()
        self.view = case.view_of(self.row)
        self.span = int(self.view["span"])
        self.sign = 1.0 if trend.direction == "up" else -1.0
        self.cells = [case.cell(self.view, point.start) + self.span - 1 for point in trend.points]

    @property
    def at_once(self) -> bool:
        """Whether the alarm is this very window: `for` may keep a break waiting, while points move on."""
        return self.trend.alarm == self.case.data.event_time

    @property
    def alarm_cell(self) -> int:
        return self.case.cell_at(self.view, micros(self.trend.alarm) - 1)

    def _places(self, path: str) -> Iterator[Check]:
        for place, (cell, point) in enumerate(zip(self.cells, self.trend.points, strict=True)):
            start = self.case.bounds(self.view, cell).start
            yield same(f"{path}[{place}].start", point.start, start)
        ordered = self.cells == sorted(set(self.cells))
        yield holds(path, len(self.cells), true=ordered, why="each once, oldest first")

    def _alarm(self) -> Iterator[Check]:
        trend = self.trend
        end = self.case.bounds(self.view, self.alarm_cell).end
        yield same(f"{TREND}.alarm", trend.alarm, end)
        now = micros(self.case.data.event_time)
        yield holds(f"{TREND}.alarm", trend.alarm, true=micros(end) <= now, why="not after this window")
        if trend.state == "broken" or self.case.rule.at_least is None:  # else one that was too small may be noted there
            begun = micros(trend.onset) < micros(trend.alarm)
            yield holds(f"{TREND}.onset", trend.onset, true=begun, why="before the alarm")

    def untested(self, *, tested: bool) -> Line:
        """There is no statistic where a rule resolves; with `at_least` and `for` one may fire after its break."""
        if tested:
            return Line("statistic", f"{shown(self.evidence.statistic)}: that of a further break, if there is one")
        none = (
            same("data.evidence.statistic", self.evidence.statistic, None),
            same("data.evidence.limit", self.evidence.limit, None),
        )
        ended = "what has ended is no longer tested"
        return Line("statistic", f"none: {ended if self.trend.state != 'broken' else 'it resolves'}", none)

    def lasted(self) -> Line:
        """A break that has become the usual has lasted for as long as the rule says."""
        passed, wanted = (
            self.case.cell_at(self.view, micros(self.case.data.event_time) - 1) - self.alarm_cell,
            self.lasting,
        )
        true = passed >= wanted
        check = holds(f"{TREND}.state", self.trend.state, true=true, why=f"it has lasted for {wanted} windows")
        return Line("lasted", f"{passed} windows since the alarm, {wanted} make it the usual", (check, *self._alarm()))

    @property
    def lasting(self) -> int:
        return int(self.row["lasting"])

    def _statistic_line(self, name: str, expected: float, limit: float) -> Line:
        """At the alarm it is past its limit; what `for` keeps waiting need not be so any more."""
        found, path = self.evidence.statistic, "data.evidence.statistic"
        checks = [same(path, found, expected)]
        if self.at_once:
            checks.append(holds(path, found, true=expected > limit, why=f"past its limit {shown(limit)}"))
        return Line("statistic", f"{name} = {shown(expected)}, against {shown(limit)}", tuple(checks))

    def _enough(self) -> Check:
        """Whether the break is of the least size that the rule asks for."""
        size, least = self.sign * self.amount, self.rule.at_least
        wanted = least * abs(self.trend.before / self.scale) if self.rule.relative else least
        return holds(
            f"{TREND}.size", self.trend.size, true=size > 0 and size >= wanted, why="at least what is asked for"
        )

    amount = 0.0
    scale = 1.0


class _Score(NamedTuple):
    """Of a CUSUM: the sum, and the window that it began in."""

    total: float
    begun: int | None


class _Level(_Break):
    """A shift of the level: a CUSUM over the windows under test."""

    def __init__(self, case: Case, evidence: Evidence, trend: TrendBreak, rule: TrendBreakRule) -> None:
        super().__init__(case, evidence, trend, rule)
        self.amount = trend.size

    def points_line(self, point: WindowPoint, *, broken: bool) -> Line:
        points, checks = self.trend.points, list(self._places(f"{TREND}.points"))
        newest = len(points) - 1
        checks.append(same(f"{TREND}.points[{newest}].value", points[newest].value, point.value))
        if broken:
            checks.append(same("data.evidence.baseline", self.evidence.baseline, points[newest].usual))
        checks.append(holds(f"{TREND}.points", len(points), true=len(points) <= self.row["ring"], why="under test"))
        listed = ", ".join(f"{self.case.moment(each.start)}: {number(each.value)}" for each in points)
        usual = number(points[newest].usual)
        return Line(
            "windows", f"{len(points)} that no baseline knows yet, {usual} usual of the last: {listed}", tuple(checks)
        )

    def fired(self) -> Iterator[Line]:
        trend, limit = self.trend, self.evidence.limit
        if limit is None or self.rule.level_limit is None:
            raise ValueError("expected a limit of the sum")
        young = self.rule.level_limit < limit <= 2 * self.rule.level_limit
        held = (
            holds("data.evidence.limit", limit, true=young, why="up to twice the rule's while the baseline is young"),
            same(f"{TREND}.slack", trend.slack, SLACK),
            same(f"{TREND}.clip", trend.clip, CLIP / sqrt(1.0 - trend.memory * trend.memory)),
            holds(f"{TREND}.widening", trend.widening, true=trend.widening >= 1.0, why="1 at least"),
            holds(f"{TREND}.memory", trend.memory, true=0.0 <= trend.memory < 1.0, why="a share"),
            holds(f"{TREND}.sigma", trend.sigma, true=trend.sigma > 0.0, why="a scale"),
        )
        scale = f"sigma {shown(trend.sigma)}, memory {shown(trend.memory)}, clip {shown(trend.clip)}"
        yield Line("scores", f"{scale}, widening {shown(trend.widening)}, slack {shown(trend.slack)}", held)
        score = self._sum(self.sign, limit)
        expected = score.total
        if self.at_once and self.sign < 0 and self.rule.direction is None:
            expected = max(expected, self._sum(1.0, limit).total)
        yield self._statistic_line("CUSUM", expected, limit)
        if self.at_once and score.begun is not None:
            start = self.case.bounds(self.view, self._located(score.begun)).start
            located = same(f"{TREND}.onset", trend.onset, start)
            told = f"{self.case.moment(start)}, from where on a shift explains the windows best"
            yield Line("onset", told, (located, *self._alarm()))
        else:
            yield Line("onset", f"{self.case.moment(trend.onset)}, as found at the alarm", tuple(self._alarm()))

    def _sum(self, sign: float, limit: float) -> _Score:
        """The sum over the points, and the window that it began in: see `kernels.trend_level.level_sum`."""
        trend, total = self.trend, 0.0
        begun, last, before = None, None, 0.0
        for cell, point in zip(self.cells, trend.points, strict=True):
            deviation = point.value - point.usual
            fresh = deviation - trend.memory * before if last is not None and cell - last == 1 else deviation
            score = sign * float(clipped(fresh / self._sigma(point), trend.clip)) / trend.widening
            leap = float(jump(score, trend.slack, trend.memory, JUMP_MOST * limit))
            grown = float(cusum(total, score, trend.slack))
            if total == 0.0 or leap > grown:
                begun = cell
            total, last, before = max(grown, leap), cell, deviation
        return _Score(total, begun)

    def _located(self, begun: int) -> int:
        """See `kernels.trend_level.locate`."""
        total, best, onset = 0.0, 0.0, begun
        under_test = [pair for pair in zip(self.cells, self.trend.points, strict=True) if pair[0] >= begun]
        for count, (cell, point) in enumerate(reversed(under_test), 1):
            deviation = self.sign * (point.value - point.usual)
            total += float(clipped(deviation / self._scatter(point), CLIP))
            explained = total * total / count
            if total > 0.0 and explained > best:
                best, onset = explained, cell
        return onset

    def _sigma(self, point: TrendPoint) -> float:
        return max(self.trend.sigma, 1e-9 * abs(point.usual) + 1e-300)

    def _scatter(self, point: TrendPoint) -> float:
        """Of deviations, each of which repeats a part of the one before."""
        return self._sigma(point) / sqrt(1.0 - self.trend.memory * self.trend.memory)

    def size_line(self) -> Line:
        """Measured at the alarm; once it is usual, again over all of it that is under test."""
        trend, checks = self.trend, []
        if self.at_once and trend.state == "broken":
            before, size = self._shift()
            checks = [
                same(f"{TREND}.before", trend.before, before),
                same(f"{TREND}.size", trend.size, size),
                self._enough(),
            ]
        checks.append(same(f"{TREND}.after", trend.after, trend.before + trend.size))
        return Line(
            "size", f"{shown(trend.before)} before, {shown(trend.after)} after: {shown(trend.size)}", tuple(checks)
        )

    def _shift(self) -> tuple[float, float]:
        """Mean of what was usual since the onset, and the median deviation from it."""
        since = self.case.cell(self.view, self.trend.onset) + self.span - 1
        points = [point for cell, point in zip(self.cells, self.trend.points, strict=True) if cell >= since]
        usual, work = 0.0, np.array([point.value - point.usual for point in points], np.float64)
        for place, point in enumerate(points):
            usual = float(ewma(usual, point.usual, 1.0 / (place + 1)))
        return usual, float(median_within(work, 0, len(work)))

    def ended(self) -> Iterator[Line]:
        if self.trend.state == "usual":
            yield self.lasted()
            return
        checks = list(self._alarm())
        total = self._nearer()
        if not self.case.rule.keep_firing_for and self.case.rule.at_least is None:  # else it was some windows ago
            back = holds(f"{TREND}.state", self.trend.state, true=total > RETURN_LIMIT, why=f"past {RETURN_LIMIT:g}")
            checks.append(back)
        told = f"CUSUM of how much nearer to the former level = {shown(total)}, against {RETURN_LIMIT:g}"
        yield Line("returned", told, tuple(checks))

    def _nearer(self) -> float:
        """See `kernels.trend_level.back_again`."""
        trend, total = self.trend, 0.0
        for cell, point in zip(self.cells, trend.points, strict=True):
            if cell > self.alarm_cell:
                nearer = self.sign * (trend.size / 2.0 - (point.value - point.usual)) / self._scatter(point)
                total = float(cusum(total, float(clipped(nearer, CLIP)), 0.0))
        return total


class _Slope(_Break):
    """A change of slope: Mann-Kendall over the means of the recent stretches."""

    def __init__(self, case: Case, evidence: Evidence, trend: TrendBreak, rule: TrendBreakRule) -> None:
        super().__init__(case, evidence, trend, rule)
        self.stretch = int(self.row["stretch"])
        self.scale = DAY / float(self.view["step"])
        self.amount = trend.size / self.scale * self.stretch * RECENT

    @property
    def lasting(self) -> int:
        return max(super().lasting, RECENT * self.stretch)

    def points_line(self, point: WindowPoint, *, broken: bool) -> Line:
        del point, broken
        points = self.trend.points
        listed = ", ".join(f"{self.case.moment(each.start)}: {number(each.value)}" for each in points)
        windows = "window" if self.stretch == 1 else f"mean of {self.stretch} windows"
        return Line("stretches", f"{len(points)}, each a {windows}: {listed}", tuple(self._places(f"{TREND}.points")))

    def fired(self) -> Iterator[Line]:
        trend, limit = self.trend, self.rule.slope_limit
        checks = (
            same("data.evidence.limit", self.evidence.limit, limit),
            same(f"{TREND}.slack", trend.slack, 0.0),
            same(f"{TREND}.clip", trend.clip, 0.0),
            holds(f"{TREND}.widening", trend.widening, true=trend.widening >= 1.0, why="1 at least"),
        )
        yield Line("limit", f"{shown(limit)}; widening {shown(trend.widening)}, memory {shown(trend.memory)}", checks)
        work = np.array(self._freed(), np.float64)
        statistic = self.sign * float(mann_kendall(work, 0, len(work))) / trend.widening
        yield self._statistic_line("Mann-Kendall Z / widening", statistic, limit or 0.0)
        yield Line("onset", f"{self.case.moment(trend.onset)}", tuple(self._alarm()))

    def _freed(self) -> list[float]:
        """The means without the former slope."""
        points = self.trend.points
        return [point.value - (point.usual - points[0].usual) for point in points]

    def ended(self) -> Iterator[Line]:
        if self.trend.state == "usual":
            yield self.lasted()

    def size_line(self) -> Line:
        trend, checks = self.trend, list[Check]()
        if self.at_once and trend.state == "broken":
            size = self._slope() * self.scale / self.stretch
            checks = [_near(f"{TREND}.size", trend.size, size), self._enough()]
        checks.append(_near(f"{TREND}.after", trend.after, trend.before + trend.size))
        text = f"{shown(trend.before)} a day before, {shown(trend.after)} after: {shown(trend.size)} by Theil and Sen"
        return Line("size", text, tuple(checks))

    def _slope(self) -> float:
        """Of the points since the onset, a stretch."""
        since = self.case.cell(self.view, self.trend.onset)
        cells = [cell - self.span + 1 for cell in self.cells]
        kept = [place for place, cell in enumerate(cells) if cell >= since]
        freed, count = self._freed(), len(kept)
        work = np.zeros(2 * count + count * (count - 1) // 2 + 1, np.float64)
        for place, source in enumerate(kept):
            work[place], work[count + place] = cells[source] // self.stretch, freed[source]
        return float(theil_sen(work, 0, count, count, 2 * count))


def _near(path: str, found: float, expected: float) -> Check:
    near = abs(found - expected) <= _NEAR * max(abs(found), abs(expected))
    return Check(path, found, expected, near)
