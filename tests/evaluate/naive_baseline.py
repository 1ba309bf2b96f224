"""The slow obvious twin of a baseline: level, scatter and memory of a series, learned window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from naive_statistics import clip, median, running_mean, towards

ROOT = 1.2533141373155003
"""The root of pi / 2: sigma of a normal value over its mean distance."""


@dataclass
class Baseline:
    level: float = 0.0
    scale: float = 0.0
    variance: float = 0.0
    covariance: float = 0.0
    last: float = 0.0
    learnt: float = 0
    distance: float = 0.0

    @property
    def memory(self) -> float:
        return min(max(self.covariance / self.variance, 0.0), 0.9) if self.variance > 0 else 0.0

    @property
    def scatter(self) -> float:
        return self.scale / math.sqrt(1 - self.memory * self.memory)

    @classmethod
    def of(cls, values: list[float]) -> Baseline:
        level = median(values)
        deviations = [value - level for value in values]
        distance = running_mean([abs(d) for d in deviations])
        scale = max(1.4826 * median([abs(d) for d in deviations]), 0.5 * ROOT * distance)
        held = [clip(d, 3 * scale) for d in deviations]
        variance = running_mean([h * h for h in held])
        covariance = running_mean([now * before for before, now in pairwise([0.0, *held])])
        begun = cls(level, 0.0, variance, covariance, held[-1], len(values), distance)
        fresh = [abs(now - begun.memory * before) for before, now in pairwise(deviations)]
        begun.scale = ROOT * running_mean(fresh)
        return begun

    def learn(self, value: float, *, adjoining: bool) -> None:
        gain = max(1 / (self.learnt + 1), 1 / 400)
        deviation = value - self.level
        fresh = abs(deviation - self.memory * self.last) if adjoining else abs(deviation)
        distance, held = abs(deviation), deviation
        if self.scale > 0:
            fresh = min(fresh, 20 * self.scale)
            distance = min(distance, 20 * self.scatter)
            held = clip(deviation, 3 * self.scatter)
        self.learnt += 1
        self.scale = towards(self.scale, ROOT * fresh, gain)
        self.distance = towards(self.distance, distance, gain)
        self.variance = towards(self.variance, held * held, gain)
        if adjoining:
            self.covariance = towards(self.covariance, held * self.last, gain)
        self.level += gain * held
        self.last = held
