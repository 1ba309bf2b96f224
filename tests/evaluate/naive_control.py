"""The slow obvious twin of control_chart: every window is kept, and at each one the whole chart is drawn again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class Found:
    breach: bool
    statistic: float
    limit: float | None
    centre: float
    sigma: float
    learned: int
    judged: int
    side: int
    rules: list[str]
    points: list[tuple[int, float, float]]
    """(window, value, statistic) that the evidence lists."""
    onset: int | None = None


def beyond(wanted: int, latest: int, zone: float) -> Callable[[Sequence[float]], bool]:
    return lambda z: z[-1] > zone and sum(each > zone for each in z[-latest:]) >= wanted


def rising(z: Sequence[float]) -> bool:
    return len(z) >= 6 and all(one < other for one, other in pairwise(z[-6:]))


def alternating(z: Sequence[float]) -> bool:
    steps = [other - one for one, other in pairwise(z[-14:])]
    return len(z) >= 14 and all(one * other < 0 for one, other in pairwise(steps))


SIDED = {
    "1": (beyond(1, 1, 3), 1, 3.0),
    "2 of 3": (beyond(2, 3, 2), 3, 2.0),
    "4 of 5": (beyond(4, 5, 1), 5, 1.0),
    "8": (beyond(8, 8, 0), 8, 0.0),
    "9": (beyond(9, 9, 0), 9, 0.0),
    "rising": (rising, 6, None),
}
UNSIDED = {
    "alternating": (alternating, 14, None),
    "within": (lambda z: len(z) >= 15 and all(abs(each) <= 1 for each in z[-15:]), 15, 1.0),
    "beyond": (lambda z: len(z) >= 8 and all(abs(each) > 1 for each in z[-8:]), 8, 1.0),
}
ORDER = [*SIDED, *UNSIDED]
PATTERNS = {
    "western_electric_1": "1",
    "western_electric_2": "2 of 3",
    "western_electric_3": "4 of 5",
    "western_electric_4": "8",
    "nelson_1": "1",
    "nelson_2": "9",
    "nelson_3": "rising",
    "nelson_4": "alternating",
    "nelson_5": "2 of 3",
    "nelson_6": "4 of 5",
    "nelson_7": "within",
    "nelson_8": "beyond",
}
SPANS = {name: span for name, (_, span, _) in {**SIDED, **UNSIDED}.items()}
ZONES = {name: zone for name, (_, _, zone) in {**SIDED, **UNSIDED}.items()}


def holding(z: Sequence[float], direction: str | None) -> dict[str, int]:
    """The patterns that the last point completes, and their sides."""
    found = {}
    for name, (holds, _, _) in SIDED.items():
        if direction != "down" and holds(z):
            found[name] = 1
        elif direction != "up" and holds([-each for each in z]):
            found[name] = -1
    if direction is None:
        found |= {name: 0 for name, (holds, _, _) in UNSIDED.items() if holds(z)}
    return found


class NaiveControl:
    def __init__(self, condition: ControlChart) -> None:
        self.condition = condition
        self.windows: list[tuple[int, float]] = []

    def judge(self, index: int, value: float) -> Found | None:
        self.windows.append((index, value))
        centre, sigma, learned = self.limits()
        judged = self.windows[learned:]
        if sigma is None or not judged:
            return None
        draw = {RunRules: self.shewhart, Ewma: self.ewma, Cusum: self.cusum}[type(self.condition.chart)]
        return draw(judged, centre, sigma, learned)

    def limits(self) -> tuple[float, float | None, int]:
        """Centre, sigma (None: not known yet), and from how many windows."""
        condition = self.condition
        if condition.centre is not None and condition.sigma is not None:
            return condition.centre, condition.sigma, 0
        for count in range(condition.learn, len(self.windows) + 1):
            values = [value for _, value in self.windows[:count]]
            mean, scatter = mean_and_scatter(values, condition.sigma_from)
            sigma = scatter if condition.sigma is None else condition.sigma
            if sigma > 1e-12 * abs(mean):
                return mean if condition.centre is None else condition.centre, sigma, count
        return 0.0, None, len(self.windows)

    def shewhart(self, judged: list[tuple[int, float]], centre: float, sigma: float, learned: int) -> Found:
        z = [(value - centre) / sigma for _, value in judged]
        asked = [PATTERNS[name] for name in self.condition.chart.rules]
        held = {name: side for name, side in holding(z, self.condition.direction).items() if name in asked}
        names = sorted(held, key=ORDER.index)
        first = names[0] if names else None
        side = held[first] if first else 0
        zone = ZONES[first] if first else None
        count = max(SPANS[name] for name in names or asked)
        points = [(index, value, score) for (index, value), score in zip(judged, z, strict=True)][-count:]
        named = [name for pattern in names for name in self.condition.chart.rules if PATTERNS[name] == pattern]
        limit = None if zone is None else zone * (-1 if side < 0 else 1)
        onset = points[0][0] if named else None
        return Found(bool(held), z[-1], limit, centre, sigma, learned, len(z), side, named, points, onset)

    def ewma(self, judged: list[tuple[int, float]], centre: float, sigma: float, learned: int) -> Found:
        chart, mean, points = self.condition.chart, centre, []
        for index, value in judged:
            mean = mean + chart.gain * (value - mean)
            points.append((index, value, mean))
        share = chart.gain / (2 - chart.gain)
        if chart.varying:
            share *= 1 - (1 - chart.gain) ** (2 * len(points))
        side = self.side(1 if mean >= centre else -1)
        limit = centre + side * (chart.limit * sigma * math.sqrt(share))
        breach = side * (mean - limit) > 0
        return Found(breach, mean, limit, centre, sigma, learned, len(points), side, [], points[-15:])

    def cusum(self, judged: list[tuple[int, float]], centre: float, sigma: float, learned: int) -> Found:
        chart, runs = self.condition.chart, {}
        for side in (1, -1):
            total, onset, points = chart.head_start, judged[0][0], []
            for index, value in judged:
                onset = index if total == 0 else onset
                total = min(max(0.0, total + side * ((value - centre) / sigma) - chart.slack), 2 * chart.limit)
                points.append((index, value, total))
            runs[side] = total, onset, points
        side = self.side(1 if runs[1][0] >= runs[-1][0] else -1)
        total, onset, points = runs[side]
        breach = total > chart.limit
        return Found(
            breach, total, chart.limit, centre, sigma, learned, len(points), side, [], points[-15:], onset
        )  # fmt: skip

    def side(self, nearer: int) -> int:
        return {"up": 1, "down": -1, None: nearer}[self.condition.direction]


def mean_and_scatter(values: list[float], sigma_from: str) -> tuple[float, float]:
    """To the last bit as the engine adds up; that this is mean and standard deviation has a test of its own."""
    mean = squares = 0.0
    for count, value in enumerate(values, 1):
        deviation = value - mean
        mean += 1.0 / count * deviation
        squares += deviation * (value - mean)
    if sigma_from == "deviation":
        return mean, math.sqrt(squares / (len(values) - 1))
    ranges = 0.0
    for one, other in pairwise(values):
        ranges += abs(other - one)
    return mean, ranges / (len(values) - 1) / 1.128
