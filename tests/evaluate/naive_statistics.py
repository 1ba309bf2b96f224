"""Statistics written out from their definitions, over plain lists."""

from __future__ import annotations

import math
from itertools import combinations


def clip(value: float, most: float) -> float:
    return min(max(value, -most), most)


def towards(mean: float, value: float, gain: float) -> float:
    return mean + gain * (value - mean)


def running_mean(values: list[float]) -> float:
    mean = 0.0
    for place, value in enumerate(values):
        mean = towards(mean, value, 1 / (place + 1))
    return mean


def median(values: list[float]) -> float:
    ordered = sorted(values)
    upper = ordered[len(ordered) // 2]
    return upper if len(ordered) % 2 else ordered[len(ordered) // 2 - 1] / 2 + upper / 2


def mann_kendall(values: list[float]) -> float:
    score = sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    count = len(values)
    ties = sum(t * (t - 1) * (2 * t + 5) for t in (values.count(each) for each in set(values)))
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    if score == 0 or variance <= 0:
        return 0.0
    return (score - math.copysign(1, score)) / math.sqrt(variance)


def theil_sen(times: list[float], values: list[float]) -> float:
    points = list(zip(times, values, strict=True))
    return median([(after[1] - before[1]) / (after[0] - before[0]) for before, after in combinations(points, 2)])
