"""Evidence of a control chart, recomputed from its points by the kernels that drew it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels.control_chart import SUM_MOST
from engine.kernels.control_layout import RING
from engine.kernels.control_limits import NEGLIGIBLE, ewma_width, score_of
from engine.kernels.cusum import cusum
from engine.kernels.ewma import ewma
from engine.kernels.run_rules import run_rules, span_of, zone_of
from engine.offline.explain.account import Check, Line, alike, holds, same, shown
from engine.offline.explain.often import asked_of_last
from engine.review.numbers import number
from engine.rules.resolved.control import ControlChart as ControlChartRule
from engine.rules.resolved.control import Cusum, Ewma, RunRules
from engine.rules.run_rules import rules_among, tests_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.finding import ControlChart, Evidence, WindowPoint
    from engine.model.trigger import FindingName
    from engine.offline.explain.case import Case

CONTROL = "data.evidence.control"
EVIDENCE = "data.evidence"


def control_lines(case: Case, evidence: Evidence, point: WindowPoint, moved_by: FindingName) -> Iterator[Line]:
    """What the window was held against, and what comes out."""
    rule, told = case.rule.condition, evidence.control
    if not isinstance(rule, ControlChartRule) or not told:
        raise ValueError("expected the chart that a control_chart tells of")
    kinds: dict[type, type[_Chart]] = {RunRules: _Runs, Ewma: _Average, Cusum: _Sum}
    chart = kinds[type(rule.chart)](case, evidence, told, rule, moved_by)
    yield chart.limits_line()
    yield chart.points_line(point)
    yield from chart.verdict()


class _Chart:
    """What all charts have in common."""

    name = ""

    def __init__(
        self, case: Case, evidence: Evidence, told: ControlChart, rule: ControlChartRule, moved_by: FindingName
    ) -> None:
        self.case, self.evidence, self.told, self.rule, self.moved_by = case, evidence, told, rule, moved_by
        self.row: Any = case.rule_row()
        self.view = case.view_of(self.row)
        self.sign = -1.0 if told.direction == "down" else 1.0
        self.scores = [float(score_of(each.value, told.centre, told.sigma)) for each in told.points]

    def limits_line(self) -> Line:
        told, rule = self.told, self.rule
        checks = [
            same(f"{CONTROL}.chart", told.chart, self.name),
            same(f"{EVIDENCE}.baseline", self.evidence.baseline, told.centre),
        ]
        for name, found, declared in (("centre", told.centre, rule.centre), ("sigma", told.sigma, rule.sigma)):
            if declared is not None:
                checks.append(same(f"{CONTROL}.{name}", found, declared))
        learned = rule.centre is None or rule.sigma is None
        enough = told.learned >= rule.learn if learned else told.learned == 0
        checks.append(holds(f"{CONTROL}.learned", told.learned, true=enough, why="as many as the rule says"))
        above = told.sigma > (NEGLIGIBLE * abs(told.centre) if rule.centre is None else 0.0)
        checks.append(holds(f"{CONTROL}.sigma", told.sigma, true=above, why="above zero"))
        origin = f"learned from {told.learned} windows and frozen" if learned else "declared"
        return Line("limits", f"centre {shown(told.centre)}, sigma {shown(told.sigma)}: {origin}", tuple(checks))

    def points_line(self, point: WindowPoint) -> Line:
        points, path = self.told.points, f"{CONTROL}.points"
        span = int(self.view["span"])
        cells = [self.case.cell(self.view, each.start) + span - 1 for each in points]
        checks = [
            same(f"{path}[{place}].start", each.start, self.case.bounds(self.view, cell).start)
            for place, (cell, each) in enumerate(zip(cells, points, strict=True))
        ]
        ordered = cells == sorted(set(cells)) and len(cells) == min(self.wanted, self.told.judged)
        checks.append(holds(path, len(cells), true=ordered, why="each once, oldest first, as many as are asked for"))
        checks.append(same(f"{path}[{len(cells) - 1}].value", points[-1].value, point.value))
        checks.append(same(f"{path}[{len(cells) - 1}].start", points[-1].start, point.window.start))
        listed = ", ".join(f"{self.case.moment(each.start)}: {number(each.value)}" for each in points)
        return Line("points", f"{len(cells)} of {self.told.judged} judged: {listed}", tuple(checks))

    @property
    def wanted(self) -> int:
        return RING

    def verdict(self) -> Iterator[Line]:
        raise NotImplementedError

    def statistics(self, expected: list[float]) -> Iterator[Check]:
        """Of each listed point, and of the last the one that was held against the limit."""
        for place, (each, statistic) in enumerate(zip(self.told.points, expected, strict=True)):
            yield same(f"{CONTROL}.points[{place}].statistic", each.statistic, statistic)
        yield same(f"{EVIDENCE}.statistic", self.evidence.statistic, expected[-1])

    def direction(self, nearer: str | None) -> Check:
        return same(f"{CONTROL}.direction", self.told.direction, self.rule.direction or nearer)

    def breached(self, *, breach: bool) -> Check:
        transition, fired = self.moved_by.transition, self.moved_by.transition != "resolved"
        why = "out of control when it fires" if fired else "in control when it resolves"
        asked = asked_of_last(self.case, self.moved_by)
        return holds("data.moved_by.transition", transition, true=asked in (None, breach), why=why)

    @property
    def complete(self) -> bool:
        """Whether every point that was judged is listed."""
        return self.told.judged == len(self.told.points)


class _Runs(_Chart):
    name = "shewhart"

    @property
    def asked(self) -> tuple[str, ...]:
        chart = self.rule.chart
        return chart.rules if isinstance(chart, RunRules) else ()

    @property
    def wanted(self) -> int:
        told = tuple(rule for rule in self.asked if rule in self.told.rules)
        return int(span_of(tests_of(told or self.asked)))

    def verdict(self) -> Iterator[Line]:
        newest_first = np.array(self.scores[::-1], np.float64)
        asked, direction = tests_of(self.asked), int(self.row["direction"])
        hits, side = run_rules(newest_first, len(newest_first), asked, direction)
        rules = rules_among(self.asked, int(hits))
        onset = self.told.points[0].start if rules else None
        limit = float(zone_of(hits)) * (-1.0 if side < 0 else 1.0)
        sides: dict[float, str | None] = {1.0: "up", -1.0: "down"}
        checks = [
            *self.statistics(self.scores),
            *alike(f"{CONTROL}.rules", self.told.rules, rules),
            same(f"{CONTROL}.direction", self.told.direction, sides.get(float(side))),
            same(f"{CONTROL}.onset", self.told.onset, onset),
            same(f"{EVIDENCE}.limit", self.evidence.limit, None if np.isnan(limit) else limit),
            self.breached(breach=bool(hits)),
        ]
        yield Line("scores", f"in sigmas: {', '.join(number(score) for score in self.scores)}", ())
        yield Line("run rules", f"{', '.join(rules) or 'none'} of {', '.join(self.asked)}", tuple(checks))


class _Average(_Chart):
    name = "ewma"

    def verdict(self) -> Iterator[Line]:
        told, gain = self.told, float(self.row["gain"])
        means = [told.points[0].statistic]
        if self.complete:
            means = [float(ewma(told.centre, told.points[0].value, gain))]
        for each in told.points[1:]:
            means.append(float(ewma(means[-1], each.value, gain)))
        width = float(ewma_width(self.row, told.sigma, float(told.judged)))
        limit = told.centre + self.sign * width
        breach = self.sign * (means[-1] - limit) > 0
        checks = (
            *self.statistics(means),
            self.direction("up" if means[-1] >= told.centre else "down"),
            same(f"{CONTROL}.rules", told.rules, ()),
            same(f"{CONTROL}.onset", told.onset, None),
            same(f"{EVIDENCE}.limit", self.evidence.limit, limit),
            self.breached(breach=breach),
        )
        kind = "varying" if self.row["varying"] else "steady"
        past = "past" if breach else "within"
        yield Line("EWMA", f"lambda {number(gain)}: {shown(means[-1])}, {past} the {kind} limit {shown(limit)}", checks)


class _Sum(_Chart):
    name = "cusum"

    def verdict(self) -> Iterator[Line]:
        told, slack, limit = self.told, float(self.row["slack"]), float(self.row["level_limit"])
        sums = [told.points[0].statistic]
        if self.complete:
            sums = [self._next(float(self.row["head_start"]), self.scores[0], slack, limit)]
        for score in self.scores[1:]:
            sums.append(self._next(sums[-1], score, slack, limit))
        breach = sums[-1] > limit
        checks = (
            *self.statistics(sums),
            self.direction(told.direction),
            holds(f"{CONTROL}.direction", told.direction, true=told.direction is not None, why="a sum has a side"),
            same(f"{CONTROL}.rules", told.rules, ()),
            self._onset(sums),
            same(f"{EVIDENCE}.limit", self.evidence.limit, limit),
            self.breached(breach=breach),
        )
        past = "past" if breach else "within"
        yield Line("CUSUM", f"slack {number(slack)}: {shown(sums[-1])}, {past} the limit {shown(limit)}", checks)

    def _next(self, total: float, score: float, slack: float, limit: float) -> float:
        return min(float(cusum(total, self.sign * score, slack)), SUM_MOST * limit)

    def _onset(self, sums: list[float]) -> Check:
        """After the last zero before this point, where that is among the listed points."""
        points, path = self.told.points, f"{CONTROL}.onset"
        after = [place + 1 for place, total in enumerate(sums[:-1]) if total == 0.0]
        if after or self.complete:
            return same(path, self.told.onset, points[after[-1] if after else 0].start)
        earlier = self.told.onset is not None and self.case.cell(self.view, self.told.onset) <= self.case.cell(
            self.view, points[0].start
        )
        return holds(path, self.told.onset, true=earlier, why="not after the first of the points: none has a sum of 0")
