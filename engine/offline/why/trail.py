"""Every point of one series through one rule, by the kernels that a worker has: each verdict, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.kernels import anomaly_layout, layout, trend_layout
from engine.kernels.anomaly import anomaly
from engine.kernels.change import change, median
from engine.kernels.control_chart import control_chart
from engine.kernels.layout import CHANGE, INACTIVE
from engine.kernels.lifecycle import advance
from engine.kernels.often import is_often, is_warming_up
from engine.kernels.threshold import threshold
from engine.kernels.trend_break import trend_break
from engine.kernels.trend_level import level_sum
from engine.kernels.trend_slope import slope_statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros


class Point(NamedTuple):
    """A closed window by its number, start and end, or a measurement (number 0, both its time); `value` as judged."""

    number: int
    start: Micros
    end: Micros
    value: float


class Verdict(NamedTuple):
    """What became of a point: `known` False where the condition had nothing to say. Numbers are NaN where none is.

    `seen`: points so far, or of a change the earlier ones that it is held against. `size` is the effect of which a
    least one is asked, `least` that one; `band` the edges that an anomaly lies outside of; `excess` is how far past the
    limit.
    `phase` is the rule's after the point, as in `kernels.layout`; `held`: in how many of the last points it was past
    its limit, of a rule that asks for several.
    """

    point: Point
    known: bool
    breach: bool
    statistic: float
    limit: float
    baseline: float
    excess: float
    seen: int
    size: float
    least: float
    band: tuple[float, float] | None
    phase: int
    held: int = 0


class _Judged(NamedTuple):
    known: bool
    breach: bool
    statistic: float
    limit: float
    baseline: float
    excess: float
    seen: int = 0
    size: float = float("nan")
    least: float = float("nan")
    band: tuple[float, float] | None = None


class _Slope(NamedTuple):
    """What was found where the last stretch ended; `passed` its limit, on the side that the rule looks at."""

    statistic: float
    passed: bool
    size: float
    least: float


_NAN = float("nan")
_NO_SLOPE = _Slope(0.0, False, _NAN, _NAN)  # noqa: FBT003 (named by its fields)


def trail_of(rule: Any, points: Sequence[Point]) -> list[Verdict]:
    """Judge `points`, in order, from the beginning; `rule` is a row of `kernels.layout.RULE`."""
    judge, rows = _Judge(rule), np.zeros(1, layout.INSTANCE)
    instance = rows[0]
    instance["phase"] = INACTIVE
    found = []
    for point in points:
        told = judge.judge(point, int(instance["phase"]))
        if not is_warming_up(instance, rule) and told.known:
            breach = is_often(instance, rule, bool(told.breach)) if rule["of"] else bool(told.breach)
            advance(instance, rule, bool(breach), point.end, point.value, float(told.excess))
        found.append(Verdict(point, *told, int(instance["phase"]), int(instance["recent"]).bit_count()))
    return found


class _Judge:
    """One rule on one series, from its first point on."""

    def __init__(self, rule: Any) -> None:
        self._rule, self._kind = rule, int(rule["kind"])
        self._history = np.full(int(rule["width"]) if self._kind != CHANGE else 0, np.nan)
        self._work = np.zeros(int(rule["scratch"]) + 1)
        self._values: dict[int, float] = {}
        self._seen = 0
        self._stretch: int | None = None
        self._slope = _NO_SLOPE

    def judge(self, point: Point, phase: int) -> _Judged:
        """The verdict on the next point, by the rule's kernel."""
        self._seen += 1
        match self._kind:
            case layout.THRESHOLD:
                breach, limit, excess = threshold(self._rule, phase, point.value)
                return _Judged(True, bool(breach), point.value, limit, _NAN, excess, self._seen)  # noqa: FBT003
            case layout.CHANGE:
                return self._change(point)
            case layout.TREND:
                return self._trend(point)
            case layout.ANOMALY:
                return self._anomaly(point)
            case _:
                told = control_chart(self._history, 0, self._rule, point.number, point.value, self._work)
                return _Judged(*told, self._seen)

    def _change(self, point: Point) -> _Judged:
        self._values[point.number] = point.value
        count, lag = int(self._rule["count"]), int(self._rule["lag"])
        earlier = [self._values.get(point.number - (place + 1) * lag) for place in range(count)]
        there = np.array([value for value in earlier if value is not None], np.float64)
        if len(there) < count:
            return _Judged(False, False, _NAN, _NAN, _NAN, 0.0, len(there))  # noqa: FBT003
        usual = float(median(there, count))
        known, breach, statistic, limit, excess = change(self._rule, point.value, usual)
        return _Judged(known, breach, statistic, limit, usual, excess, count)

    def _trend(self, point: Point) -> _Judged:
        rule, history = self._rule, self._history
        told = _Judged(*trend_break(history, 0, rule, point.number, point.value, self._work), self._seen)
        self._note_slope(point)
        if not told.known or told.breach:
            return told
        if told.statistic > told.limit:
            return told._replace(size=self._shift(), least=self._least())
        if self._slope.passed or not rule["shapes"] & trend_layout.LEVEL_SHAPE:
            told = told._replace(statistic=self._slope.statistic, limit=float(rule["slope_limit"]))
        return told._replace(size=self._slope.size, least=self._slope.least) if self._slope.passed else told

    def _shift(self) -> float:
        """How far the level has moved to the side whose sum is past its limit; below 0 where it lies on the other."""
        rule, history, found = self._rule, self._history, 0.0
        for sign in (1.0, -1.0):
            if (
                sign * int(rule["direction"]) >= 0
                and level_sum(history, 0, rule, sign)[0] > history[trend_layout.LIMIT]
            ):
                found = sign * float(history[trend_layout.SIZE])
        return found

    def _note_slope(self, point: Point) -> None:
        """A slope is looked at where a stretch has ended; in between, what was found there stands."""
        rule, history = self._rule, self._history
        stretch = point.number // int(rule["stretch"])
        if not rule["shapes"] & trend_layout.SLOPE_SHAPE or stretch == self._stretch:
            return
        ended, self._stretch, self._slope = self._stretch is not None, stretch, _NO_SLOPE
        if not ended or np.isnan(history[trend_layout.STRETCH]):
            return
        rising = float(slope_statistic(history, 0, rule, self._work)[0])
        wanted = rising * int(rule["direction"]) >= 0
        passed = wanted and abs(rising) > rule["slope_limit"]
        size = abs(history[trend_layout.SIZE]) * int(rule["stretch"]) * trend_layout.RECENT
        self._slope = _Slope(abs(rising) if wanted else 0.0, passed, size, self._least())

    def _least(self) -> float:
        rule = self._rule
        return float(rule["up"]) * (abs(self._history[trend_layout.BEFORE]) if rule["relative"] else 1.0)

    def _anomaly(self, point: Point) -> _Judged:
        told = anomaly(self._history, 0, self._rule, point.number, point.value, self._work)
        if not told[0]:
            return _Judged(*told, self._seen)
        rule, usual = self._rule, told[4]
        least = float(rule["up"]) * (abs(usual) if rule["relative"] else 1.0)
        place = anomaly_layout.run_at(0, int(self._history[anomaly_layout.SEEN]) - 1)
        low, high = (float(self._history[place + edge]) for edge in (anomaly_layout.LOWER, anomaly_layout.UPPER))
        return _Judged(*told, self._seen, abs(point.value - usual), least, (low, high))
