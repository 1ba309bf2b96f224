"""The slow obvious twin of trend_break: every window that came is kept, and each test is written out from its
definition over plain lists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from naive_baseline import Baseline
from naive_statistics import clip, mann_kendall, median, running_mean, theil_sen, towards

DAY = 86_400_000_000
HALF_HOUR = 1_800_000_000


@dataclass
class Verdict:
    breach: bool
    statistic: float
    limit: float
    usual: float
    shape: str
    phase: str
    onset: int
    size: float
    sign: int


@dataclass
class NaiveTrend:
    """Give it every window in order; each answer is None, or the verdict on that window."""

    condition: Any
    step: int
    for_: int = 0
    zone: bool = False
    windows: list[tuple[int, float]] = field(default_factory=list)
    plain: Baseline = field(default_factory=Baseline)
    seasoned: Baseline = field(default_factory=Baseline)
    season: dict[int, float] = field(default_factory=dict)
    seasonal: bool = False
    learned: int | None = None
    phase: str = "watching"
    shape: str = ""
    sign: int = 0
    alarm: int = 0
    onset: float = 0
    since: float = -math.inf
    former: float = 0.0
    size: float = 0.0
    statistic: float = 0.0
    limit: float = 0.0
    spread: float = 1.0
    scores: list[float] = field(default_factory=list)
    spreads: int = 0
    stretches: dict[int, float] = field(default_factory=dict)
    summing: int | None = None
    members: list[float] = field(default_factory=list)
    usual_slope: float = 0.0

    def __post_init__(self) -> None:
        learn = self.condition.learn
        self.ring = 24 if learn is None else min(24, learn)
        self.stretch = max(1, DAY // self.step)
        self.lasting = max(self.ring, self.for_ // self.step + 1)
        length, slots = (DAY, 144) if self.step < HALF_HOUR else (7 * DAY, 336)
        fits = length % self.step == 0 and length != self.step
        self.a_season = 7 if self.zone else length // self.step if fits else 1
        self.slots = min(self.a_season, slots)
        self.signs = {"up": (1,), "down": (-1,), None: (1, -1)}[self.condition.direction]

    # what is usual

    @property
    def baseline(self) -> Baseline:
        return self.seasoned if self.seasonal else self.plain

    def slot(self, index: int) -> int:
        return index % self.a_season * self.slots // self.a_season

    def seasons(self, index: int) -> int:
        return (index - self.windows[0][0]) // self.a_season

    def added(self, index: int) -> float:
        return self.season.get(self.slot(index), 0.0) if self.seasonal else 0.0

    def usual(self, index: int) -> float:
        return self.baseline.level + self.added(index)

    def take_over(self, place: int) -> None:
        """Learn the window that came `ring` windows ago."""
        index, value = self.windows[place]
        adjoining = place > 0 and index - self.learned == 1 if self.learned is not None else False
        if place >= self.ring:
            self.plain.learn(value, adjoining=adjoining)
        if self.slots > 1:
            self.take_season(index, value, adjoining=adjoining)
        self.learned = index

    def take_season(self, index: int, value: float, *, adjoining: bool) -> None:
        slot, season = self.slot(index), self.seasons(index)
        if slot not in self.season:
            self.season[slot] = value - self.seasoned.level
        else:
            deviation = value - self.season[slot] - self.seasoned.level
            if season >= 1:
                scatter = self.seasoned.scatter
                self.seasoned.learn(value - self.season[slot], adjoining=adjoining)
                if self.seasoned.learnt > self.a_season // 2:
                    deviation = clip(deviation, 3 * scatter)
            gain = 1 / min(season + 1, 8) / max(1.0, self.a_season / self.slots)
            self.season[slot] += gain * deviation
        before = -1 if self.learned is None else self.seasons(self.learned)
        if self.seasoned.learnt >= self.ring and season >= 2 and season != before:
            share = 0.95 if self.seasonal else 0.9
            explains = self.seasoned.distance < share * self.plain.distance
            if explains != self.seasonal:
                self.seasonal = explains
                self.stretches, self.summing = {}, None

    # tests

    @property
    def under_test(self) -> list[tuple[int, float]]:
        return self.windows[-self.ring :]

    @property
    def widening(self) -> float:
        return math.sqrt(max(1.0, self.spread / 1.2))

    def sigma(self, usual: float) -> float:
        return max(self.baseline.scale, 1e-9 * abs(usual) + 1e-300)

    def level_limit(self) -> float:
        return self.condition.level_limit * (1 + self.ring / self.baseline.learnt)

    def score(self, index: int, value: float, before: float | None) -> float:
        memory = self.baseline.memory
        deviation = value - self.usual(index)
        fresh = deviation if before is None else deviation - memory * before
        return clip(fresh / self.sigma(self.usual(index)), 3 / math.sqrt(1 - memory * memory))

    def deviation_before(self, points: list[tuple[int, float]], place: int) -> float | None:
        if place == 0 or points[place][0] - points[place - 1][0] != 1:
            return None
        return points[place - 1][1] - self.usual(points[place - 1][0])

    def cusum(self, sign: int) -> tuple[float, int | None]:
        points = [point for point in self.under_test if point[0] > self.since]
        memory, most = self.baseline.memory, 0.9 * self.level_limit()
        total, onset = 0.0, None
        for place, (index, value) in enumerate(points):
            score = sign * self.score(index, value, self.deviation_before(points, place)) / self.widening
            jump = min((score - 0.5 / (1 - memory)) / (1 - memory), most)
            grown = max(0.0, total + score - 0.5)
            if total == 0 or jump > grown:
                onset = index
            total = max(grown, jump)
        return total, onset

    def locate(self, sign: int, begun: int) -> int:
        explained, total = {}, 0.0
        points = [point for point in self.under_test if point[0] >= begun and point[0] > self.since]
        for count, (index, value) in enumerate(reversed(points), 1):
            scatter = self.sigma(self.usual(index)) / math.sqrt(1 - self.baseline.memory * self.baseline.memory)
            total += clip(sign * (value - self.usual(index)) / scatter, 3)
            explained[index] = total * total / count if total > 0 else 0.0
        best = max(explained.values())
        return next(index for index, each in explained.items() if each == best)

    def shift(self, since: float) -> tuple[float, float]:
        points = [point for point in self.under_test if point[0] >= since]
        usual = running_mean([self.usual(index) for index, _ in points])
        return usual, median([value - self.usual(index) for index, value in points])

    def note_spread(self) -> None:
        place = len(self.under_test) - 1
        index, value = self.under_test[place]
        before = self.deviation_before(self.under_test, place)
        shift = self.size if self.phase == "broken" and self.shape == "level" else 0.0
        self.scores.append(self.score(index, value - shift, None if before is None else before - shift))
        if len(self.scores) == self.ring:
            total = 0.0
            for score in self.scores:
                total += score
            self.spreads += 1
            ratio = min(total * total / self.ring, 9 * self.spread)
            self.spread = towards(self.spread, ratio, 1 / min(self.spreads + 8, 50))
            self.scores = []

    def matters(self, size: float) -> bool:
        least = self.condition.at_least * (abs(self.former) if self.condition.relative else 1)
        return size > 0 and size >= least

    # the slope

    def add_to_stretch(self, index: int, value: float) -> bool:
        number, ended = index // self.stretch, False
        if self.summing is not None and number != self.summing:
            total = 0.0
            for member in self.members:
                total += member
            if self.members:
                self.stretches[self.summing] = total / len(self.members)
            ended = True
        if number != self.summing:
            self.summing, self.members = number, []
        self.members.append(value - self.added(index))
        return ended

    def between(self, begin: int, end: int) -> tuple[list[int], list[float]]:
        numbers = [number for number in sorted(self.stretches) if begin <= number < end]
        return numbers, [self.stretches[number] for number in numbers]

    def z_widening(self, count: int) -> float:
        memory, q = self.baseline.memory, self.stretch
        kept = memory**q
        first = memory * (1 - kept) ** 2 / (q * (1 - memory**2) - 2 * memory * (1 - kept)) if memory else 0.0
        factor = 1.0
        for lag in range(1, count - 2):
            weight = (count - lag) * (count - lag - 1) * (count - lag - 2)
            factor += 2 * weight * first * kept ** (lag - 1) / (count * (count - 1) * (count - 2))
        return self.widening * math.sqrt(factor)

    def learn_slope(self) -> None:
        end = self.summing
        numbers, means = self.between(end - 84, end - 28)
        if len(numbers) >= 28:
            significant = abs(mann_kendall(means) / self.z_widening(len(means))) > 2
            self.usual_slope = theil_sen(numbers, means) if significant else 0.0

    def recent(self) -> tuple[list[int], list[float]]:
        numbers, means = self.between(self.summing - 28, self.summing)
        return numbers, [m - self.usual_slope * (n - numbers[0]) for n, m in zip(numbers, means, strict=True)]

    def z(self) -> float:
        _, means = self.recent()
        return mann_kendall(means) / self.z_widening(len(means)) if len(means) >= 24 else 0.0

    def measure_slope(self) -> None:
        numbers, means = self.recent()
        explained = []
        for bend in range(len(numbers) - 6):
            rises = [float(max(0, number - numbers[bend])) for number in numbers]
            rise, mean = running_mean(rises), running_mean(means)
            square = product = 0.0
            for each, value in zip(rises, means, strict=True):
                square += (each - rise) * (each - rise)
                product += (each - rise) * (value - mean)
            explained.append(product * (product / square))
        bend = explained.index(max(explained))
        self.onset = numbers[bend] * self.stretch
        self.former = self.usual_slope / self.stretch
        self.size = theil_sen(numbers[bend:], means[bend:]) / self.stretch

    # one window

    def judge(self, index: int, value: float) -> Verdict | None:
        seen = len(self.windows)
        if seen == self.ring:
            self.plain = Baseline.of([value for _, value in self.windows])
            self.seasoned.level = self.plain.level
        if seen >= self.ring and self.phase != "broken":
            leaving = self.windows[seen - self.ring][0]
            if not (self.phase == "returned" and self.onset <= leaving <= self.since):
                self.take_over(seen - self.ring)
        self.windows.append((index, value))
        if seen < self.ring:
            return None
        ended = self.condition.slope_limit is not None and self.add_to_stretch(index, value)
        if ended and self.phase != "broken":
            self.learn_slope()
        self.note_spread()
        if not self.knows_enough():
            return None
        usual = self.usual(index)
        if self.phase == "broken":
            self.follow(index, ended=ended)
        else:
            self.watch(index, ended=ended)
        broken = self.phase == "broken"
        return Verdict(
            broken, self.statistic, self.limit, usual, self.shape, self.phase, self.onset, self.size, self.sign
        )

    def knows_enough(self) -> bool:
        if self.condition.learn is not None:
            return len(self.windows) >= self.condition.learn
        first = self.windows[0][0]
        return self.slots == 1 or (self.learned is not None and self.learned - first >= 2 * self.a_season)

    def watch(self, index: int, *, ended: bool) -> None:
        self.statistic, self.limit = 0.0, math.nan
        if self.condition.level_limit is not None:
            self.limit = self.level_limit()
            for sign in self.signs:
                total, onset = self.cusum(sign)
                self.statistic = max(self.statistic, total)
                if total > self.limit:
                    self.onset = onset = self.locate(sign, onset)
                    self.former, self.size = self.shift(onset)
                    if self.matters(sign * self.size):
                        self.statistic = total
                        self.raise_alarm(index, "level", sign)
                        return
        if ended and self.condition.slope_limit is not None:
            rising = self.z()
            sign = 1 if rising > 0 else -1
            if abs(rising) > self.condition.slope_limit and sign in self.signs:
                self.measure_slope()
                if self.matters(sign * self.size * self.stretch * 28):
                    self.statistic, self.limit = abs(rising), self.condition.slope_limit
                    self.raise_alarm(index, "slope", sign)

    def raise_alarm(self, index: int, shape: str, sign: int) -> None:
        self.phase, self.shape, self.sign, self.alarm = "broken", shape, sign, index

    def follow(self, index: int, *, ended: bool) -> None:
        passed = index - self.alarm
        if self.shape == "slope":
            if ended:
                self.follow_slope(index, passed)
            return
        self.statistic, self.limit = self.cusum(self.sign)[0], self.level_limit()
        if self.back_again():
            touched = range(int(self.onset) // self.stretch, index // self.stretch)
            self.stretches = {n: mean for n, mean in self.stretches.items() if n not in touched}
            self.members = []
            self.phase, self.since = "returned", index
        elif passed >= self.lasting:
            _, self.size = self.shift(self.onset)
            before = int(self.onset) // self.stretch
            self.stretches = {n: mean + self.size if n < before else mean for n, mean in self.stretches.items()}
            self.settle(index, "usual")

    def follow_slope(self, index: int, passed: int) -> None:
        rising = self.z()
        self.statistic, self.limit = max(0.0, self.sign * rising), self.condition.slope_limit
        lasted = passed >= max(self.lasting, 28 * self.stretch)
        if lasted or self.sign * rising <= self.condition.slope_limit / 2:
            _, shift = self.shift(self.onset)
            self.stretches = {n: mean for n, mean in self.stretches.items() if n >= self.summing - 28}
            if lasted:
                self.usual_slope += self.size * self.stretch
            self.settle(index, "usual" if lasted else "returned", shift)

    def settle(self, index: int, phase: str, shift: float | None = None) -> None:
        for baseline in (self.plain, self.seasoned):
            baseline.level += self.size if shift is None else shift
            baseline.learnt = min(baseline.learnt, self.ring)
        self.phase, self.since = phase, index

    def back_again(self) -> bool:
        memory, total = self.baseline.memory, 0.0
        for index, value in self.under_test:
            if index > self.alarm:
                usual = self.usual(index)
                scatter = self.sigma(usual) / math.sqrt(1 - memory * memory)
                nearer = self.sign * (self.size / 2 - (value - usual)) / scatter
                total = max(0.0, total + clip(nearer, 3))
        return total > 4
