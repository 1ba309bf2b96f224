"""A shop with 40 channels for weeks, and what happened to it on the last day; how often the evidence names that.

python tests/correlate/bottleneck_world.py

prints the figures of docs/rules/bottleneck.md.
"""

from __future__ import annotations

import math
import sys
from random import Random
from typing import TYPE_CHECKING, Literal, NamedTuple

from stage2_world import BY_5, conflict, day, ids, kpi, rule

from engine.correlate.conflict import Conflict
from engine.correlate.join import Facts
from engine.correlate.track import Track
from engine.model.bottleneck import Bottleneck
from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.records import JoinRecord, Parts, WindowBounds
from engine.model.time import HOUR
from engine.rules.resolved.catalogue import Objective, Owner
from engine.rules.resolved.condition import ConflictSide, Judge
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = 40
WEEKS = 4
LAST = 7 * WEEKS
SEASON = (1.0, 1.05, 1.02, 1.0, 0.95, 0.6, 0.55)
WEEKDAYS = Judge(by=0.001, reference="weekdays", count=WEEKS, noise=0, hold=False)
CASES = ("drop", "rate", "mix", "all")
Case = Literal["drop", "rate", "mix", "all"]


class Channel(NamedTuple):
    """A value of the dimension: orders a day, its own week, and how many of its orders are returned."""

    name: str
    size: float
    week: tuple[float, ...]
    returned: float


class Noise(NamedTuple):
    """`spread`: how many times the smallest channel the largest is. `daily`: the scatter of a channel from day to day
    beside that of counting; `common` that of all of them together.
    """

    spread: float = 10.0
    daily: float = 0.03
    common: float = 0.05
    typical: float = 2000.0


def channels(random: Random, noise: Noise) -> list[Channel]:
    reach = math.log(noise.spread) / 2
    return [
        Channel(
            f"channel-{number:02}",
            noise.typical * math.exp(random.uniform(-reach, reach)),
            tuple(each * math.exp(random.gauss(0, 0.05)) for each in SEASON),
            random.uniform(0.1, 0.4),
        )
        for number in range(VALUES)
    ]


def counted(random: Random, mean: float) -> float:
    """So many of what happens at this rate: by the normal law, which is near enough from a few dozen on."""
    return float(max(0, round(random.gauss(mean, math.sqrt(mean)))))


class Shop:
    """`struck`: the channel that the drop is in. The last day is the day `LAST`."""

    def __init__(self, seed: int, case: Case, noise: Noise) -> None:
        self.random = Random(seed)
        self.case, self.noise = case, noise
        self.channels = channels(self.random, noise)
        self.struck = self.random.choice(self.channels)
        mean = sum(each.size * each.returned for each in self.channels) / sum(each.size for each in self.channels)
        self.above = {each.name for each in self.channels if each.returned > mean}
        self.first_weekday = self.random.randrange(7)

    def records(self) -> Iterator[JoinRecord]:
        """Orders and returns of each channel, and visits of the shop, which rise on the last day."""
        for at in range(LAST + 1):
            together = math.exp(self.random.gauss(0, self.noise.common)) * 1.002**at
            yield _record("visits", "", at, 1200.0 if at == LAST else 1000.0)
            for channel in self.channels:
                yield from self._of_channel(channel, at, together)

    def _of_channel(self, channel: Channel, at: int, together: float) -> Iterator[JoinRecord]:
        size = channel.size * channel.week[(at + self.first_weekday) % 7] * together
        size *= math.exp(self.random.gauss(0, self.noise.daily))
        orders, returned = self._struck(channel, size, channel.returned) if at == LAST else (size, channel.returned)
        made = counted(self.random, orders)
        yield _record("orders", channel.name, at, made)
        if self.case in ("rate", "mix"):
            yield _record("returns", channel.name, at, counted(self.random, made * returned))

    def _struck(self, channel: Channel, size: float, returned: float) -> tuple[float, float]:
        """What the last day makes of a channel: in one three tenths fewer orders, or returns; more orders where more
        is returned and fewer where less; or three tenths fewer of all.
        """
        match self.case:
            case "drop":
                return size * (0.7 if channel is self.struck else 1.0), returned
            case "rate":
                return size, returned * (0.7 if channel is self.struck else 1.0)
            case "mix":
                return size * (1.5 if channel.name in self.above else 0.7), returned
            case "all":
                return size * 0.7, returned


def _record(of: str, channel: str, at: int, value: float) -> JoinRecord:
    dimensions = {"channel": channel} if channel else {}
    parts = Parts(1, value, value, value, 1, value, day(at))
    bounds = WindowBounds(day(at), day(at + 1), at)
    return JoinRecord("clash", "{}", of, series_key(of, dimensions), bounds, 0, parts, ids(1), 0)


def rules() -> RuleSet:
    """Visits rise while orders fall, or the returns of an order change."""
    sides = (ConflictSide("orders", None, 0, WEEKDAYS), ConflictSide("returns", "orders", 0, WEEKDAYS))
    found = rule("clash", "visits", conflict(*sides, improves=BY_5))
    kpis = (kpi("orders"), kpi("returns"), kpi("visits"))
    owners = tuple(Owner(f"{each.id}-owner", each.id, None) for each in kpis)
    return RuleSet(owners, (Objective("growth", "Growth", "visits-owner"),), kpis, (found,), (), {})


def judged(seed: int, case: Case, noise: Noise) -> tuple[Shop, Bottleneck]:
    """What the evidence says of the last day: of the orders, or where it is about them of the returns per order."""
    shop, track = Shop(seed, case, noise), Track("clash", "{}")
    [found] = RULES.rules
    aligned, facts = Conflict(found, RULES), Facts()
    by_day: dict[int, list[JoinRecord]] = {}
    for record in shop.records():
        by_day.setdefault(record.window.index, []).append(record)
    for at, records in by_day.items():
        aligned.advance(track, records, 24 * HOUR * (at + 1), facts)
    sides = aligned.evidence(track, LAST, Limits()).sides
    told = sides[2 if case in ("rate", "mix") else 1].bottleneck
    assert isinstance(told, Bottleneck)
    return shop, told


RULES = rules()


class Score(NamedTuple):
    """Of so many seeds: in how many the struck value stood first, in how many it or the mix was named, in how many
    something else was, and in how many the change was called what it is.
    """

    first: int
    named: int
    wrong: int
    called: int


def score(seeds: range, case: Case, noise: Noise) -> Score:
    """How often it is right."""
    first = named = wrong = called = 0
    for seed in seeds:
        shop, found = judged(seed, case, noise)
        [dimension] = found.dimensions
        first += dimension.values[0].value == shop.struck.name
        right = found.named is not None and (
            found.named.what == "mix" if case == "mix" else found.named.value == shop.struck.name
        )
        named += right
        wrong += found.named is not None and not right
        called += dimension.mostly == case
    return Score(first, named, wrong, called)


def main(seeds: range) -> None:
    for case in CASES:
        for spread in (1.0, 3.0, 10.0):
            for daily in (0.01, 0.03, 0.05):
                noise = Noise(spread, daily)
                print(f"{case:5} {spread:4g} {daily:5.0%}  {score(seeds, case, noise)}", flush=True)


if __name__ == "__main__":
    main(range(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else range(1000, 1100))
