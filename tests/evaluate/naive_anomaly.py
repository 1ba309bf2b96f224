"""The slow obvious twin of the anomaly condition: plain lists and dictionaries, one window at a time.

Written from the definitions: a winsorised level, scale and season; an exponential tail beyond quantiles that are
followed by small steps; surprises summed over six windows; and an incident that begins, is settled, and ends.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.model.time import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from engine.rules.resolved.condition import Anomaly
    from engine.rules.resolved.timing import Window

SHARE = 0.01
SIGMA = math.sqrt(math.pi / 2)


def clip(value: float, most: float) -> float:
    return max(-most, min(most, value))


@dataclass
class Mean:
    """A level, and the mean distance from it."""

    level: float
    distance: float

    @property
    def scale(self) -> float:
        return max(SIGMA * self.distance, 1e-9 * abs(self.level) + 1e-300)

    def learn(self, deviation: float, width: float, learnt: float) -> float:
        scale, nothing = self.scale, self.distance == 0
        away = abs(deviation) / width if nothing else min(abs(deviation) / width, 3 * scale)
        held = deviation if nothing else clip(deviation, 3 * scale * width)
        self.distance += max(1 / learnt, 1 / 4000) * (away - self.distance)
        self.level += max(1 / learnt, 1 / 400) * held
        return held


@dataclass
class Tail:
    """Where one window in a hundred begins to lie, in scales, and how far beyond it those lie on average."""

    edge: float = 2.33
    excess: float = 0.5

    def learn(self, score: float, learnt: float) -> None:
        step = 10 * max(1 / (learnt - 14), 1 / 4000) * self.excess
        if score > self.edge:
            beyond = min(score - self.edge, 6 * self.excess)
            gain = max(1 / (20 + (learnt - 24) * SHARE), 1 / (4000 * SHARE))
            self.edge += step * (1 - SHARE)
            self.excess = max(0.15, self.excess + gain * (beyond - self.excess))
        else:
            self.edge = max(0.5, self.edge - step * SHARE)


@dataclass
class Judged:
    """A window with the band that it was held against."""

    index: int
    value: float
    usual: float
    low: float
    high: float
    excess: float
    surprise: float


@dataclass
class Verdict:
    breach: bool
    score: float
    usual: float
    outside: float
    run: list[Judged]
    began: int
    settled: int
    seasonal: bool


@dataclass
class NaiveAnomaly:
    """One series under one condition."""

    condition: Anomaly
    window: Window
    for_: int = 0
    collected: list[tuple[int, float]] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)
    """Deviations of the last 24 windows."""
    seasoned: Mean | None = None
    plain: Mean | None = None
    upper: Tail = field(default_factory=Tail)
    lower: Tail = field(default_factory=Tail)
    season: dict[int, float] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    seasonal: bool = False
    firing: bool = False
    began = since = beyond = ended = last = settled = 0
    learnt = 24.0

    def __post_init__(self) -> None:
        step = self.window.step
        name = self.condition.season or ("day" if step < 30 * MINUTE else "week")
        length = {"day": DAY, "week": 7 * DAY, "none": step}[name]
        if self.window.zone is not None:
            length = 7 * step if name == "week" else step
        fits = length % step == 0
        self.a_season = length // step if fits else 1
        self.slots = min(self.a_season, length // (30 * MINUTE)) if self.a_season > 1 else 1
        self.lasting = max(24, DAY // step, self.for_ // step + 1)
        self.calm = max(1, 6 * HOUR // step)

    def slot(self, index: int) -> int:
        return index % self.a_season * self.slots // self.a_season

    def judge(self, index: int, value: float) -> Verdict | None:
        """What is said of a window; None while too little is known."""
        if self.plain is None:
            first, seen = self.collected[0][0] if self.collected else index, len(self.collected)
            learn = self.condition.learn
            enough = seen >= learn if learn is not None else index - first >= self.a_season
            if seen < 24 or not enough:
                self.collected.append((index, value))
                return None
            self.begin(index)
        return self.hold(index, value)

    def begin(self, index: int) -> None:
        values = [value for _, value in self.collected]
        by_slot: dict[int, list[float]] = {}
        apart = []
        for at, value in self.collected:
            before = by_slot.setdefault(self.slot(at), [])
            if before:
                apart.append(abs(value - statistics.fmean(before)))
            before.append(value)
        means = {slot: statistics.fmean(held) for slot, held in by_slot.items()}
        basis = [means[slot] for slot in sorted(means)] if self.slots >= 24 else values[-24:]
        level = statistics.median(basis)
        distance = statistics.fmean(abs(value - level) for value in basis)
        move = statistics.fmean(abs(b - a) for a, b in pairwise(values))
        self.plain, self.seasoned = (
            Mean(level, distance),
            Mean(level, min(distance, statistics.fmean(apart) if len(apart) >= 8 else move)),
        )
        self.seasonal = self.slots > 1 and index - self.collected[0][0] >= self.a_season
        self.season = {slot: mean - level if self.slots > 1 else 0.0 for slot, mean in means.items()}
        self.widths = dict.fromkeys(range(self.slots), 1.0)
        self.recent = [value - level for value in values[-24:]]
        self.last = self.collected[-1][0]

    def hold(self, index: int, value: float) -> Verdict | None:
        assert self.plain is not None
        assert self.seasoned is not None
        self.judged.append(judged := self.against_the_band(index, value))
        self.recent = [*self.recent, value - judged.usual][-24:]
        known = self.known(index)
        if not known:
            self.ended = index
        run = [each for each in self.judged[-6:] if each.index > self.ended]
        score = math.fsum(each.surprise for each in run)
        self.follow(index, judged.surprise > 0, score)
        firing, began, settled = self.firing, self.began, self.settled
        self.learn(index, value)
        sides = {"up": value - judged.high, "down": judged.low - value}
        outside = max(sides.values()) if self.condition.direction is None else sides[self.condition.direction]
        return Verdict(firing, score, judged.usual, outside, run, began, settled, self.seasonal) if known else None

    def known(self, index: int) -> bool:
        if self.condition.learn is not None:
            return len(self.collected) + len(self.judged) - 1 >= self.condition.learn
        return self.slots == 1 or index - self.collected[0][0] >= 2 * self.a_season

    def band(self, index: int) -> tuple[float, float]:
        """What is usual, and the unit of the band."""
        assert self.plain is not None
        assert self.seasoned is not None
        if not self.seasonal:
            scale = max(SIGMA * self.plain.distance, 1e-9 * abs(self.seasoned.level) + 1e-300)
            return self.plain.level, scale
        slot = self.slot(index)
        return self.seasoned.level + self.season.get(slot, 0.0), max(self.widths[slot], 0.2) * self.seasoned.scale

    def against_the_band(self, index: int, value: float) -> Judged:
        usual, unit = self.band(index)
        low, high = usual - self.lower.edge * unit, usual + self.upper.edge * unit
        excess = (self.upper if value > usual else self.lower).excess * unit
        away, least = abs(value - usual), self.condition.at_least
        if self.condition.relative:
            least *= abs(usual)
        wanted = {"up": value >= usual, "down": value <= usual, None: True}[self.condition.direction]
        beyond = value - high if value >= usual else low - value
        counts = beyond > 0 and away >= least and wanted
        surprise = 2 + beyond / excess / math.log(10) if counts else 0.0
        return Judged(index, value, usual, low, high, excess, surprise)

    def follow(self, index: int, beyond: bool, score: float) -> None:  # noqa: FBT001 (a plain fact)
        if not self.firing:
            if beyond and score > self.condition.limit:
                self.firing, self.settled = True, 0
                self.began = self.since = self.beyond = index
        elif beyond:
            self.beyond = index
            if index - self.since >= self.lasting:
                self.settle()
                self.since = index
                self.settled += 1
        elif index - self.beyond >= self.calm:
            self.firing, self.ended = False, index

    def settle(self) -> None:
        assert self.plain is not None
        assert self.seasoned is not None
        shift = statistics.median(self.recent)
        away = statistics.fmean(abs(each - shift) for each in self.recent)
        for mean in (self.seasoned, self.plain):
            mean.level += shift
            mean.distance = max(mean.distance, away)
        self.recent = [each - shift for each in self.recent]
        self.learnt = min(self.learnt, 24)

    def learn(self, index: int, value: float) -> None:
        assert self.plain is not None
        assert self.seasoned is not None
        first, slot = self.collected[0][0], self.slot(index)
        self.weigh(index)
        usual, unit = self.band(index)
        self.upper.learn((value - usual) / unit, self.learnt)
        self.lower.learn((usual - value) / unit, self.learnt)
        self.learnt += 1
        width = max(self.widths[slot], 0.2) if self.seasonal else 1.0
        deviation = value - self.seasoned.level - self.season.get(slot, 0.0)
        held = self.seasoned.learn(deviation, width, self.learnt)
        self.plain.learn(value - self.plain.level, 1.0, self.learnt)
        if self.slots > 1:
            count = (index - first) / self.slots + 1
            relative = abs(deviation) / self.seasoned.scale * SIGMA
            self.widths[slot] += (min(relative, 4 * self.widths[slot]) - self.widths[slot]) / min(8 + count, 64)
            if slot in self.season:
                self.season[slot] += held / min(count, 8 * self.a_season / self.slots)
            else:
                self.season[slot] = deviation
        self.last = index

    def weigh(self, index: int) -> None:
        assert self.plain is not None
        assert self.seasoned is not None
        first = self.collected[0][0]
        season = (index - first) // self.a_season
        before = (self.last - first) // self.a_season
        if self.slots == 1 or season < 2 or season == before:
            return
        share = 1.1 if self.seasonal else 1.0
        explains = self.seasoned.distance < share * self.plain.distance
        self.seasonal = self.condition.season is not None or explains
