"""Three years of weeks, made up from a seed, and one governance rule driven over them: a barrier a week, no log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.correlate.governance.watch import Watch
from engine.correlate.governance.watching import Watching
from engine.model.identity import series_key
from engine.model.limits import Limits
from engine.model.records import Ids, JoinRecord, Parts, WindowBounds
from engine.model.time import DAY, HOUR, Micros, format_time, parse_own_time
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from engine.model.judgement import Judgement
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-01T00:00:00Z")  # a Thursday, on which weeks of the epoch begin
WEEK: Micros = 7 * DAY
WEEKS = 156
SHOPS = ("a", "b")
VISITS = """\
kind: owner
id: web
name: Web
---
kind: owner
id: board
name: Board
---
kind: objective
id: growth
title: Growth
owner: board
---
kind: kpi
id: visits
title: Visits
owner: web
objective: growth
definition: Visits of a shop
decision: Buy traffic
direction: higher_is_better
role: leading
unit: visits
"""
"""A KPI of a shop, with whom and what it is for; how it is measured is written behind it."""
CATALOGUE = (
    VISITS
    + """\
aggregation: sum
window: {every: 7d}
dimensions: [shop]
target: {value: 100, by: 2030-12-31}
---
kind: kpi
id: trials
title: Trials
owner: web
objective: growth
definition: Trials begun
decision: Change the offer
direction: higher_is_better
role: leading
unit: trials
aggregation: sum
window: {every: 7d}
dimensions: [shop]
target: {value: 40, by: 2030-12-31}
---
kind: kpi
id: kept
title: Kept customers
owner: board
objective: growth
definition: Customers who stay
decision: Mend what drives them away
direction: higher_is_better
role: lagging
unit: customers
aggregation: sum
window: {every: 7d}
dimensions: [shop]
target: none
---
kind: initiative
id: relaunch
title: Relaunch
owner: board
objective: growth
milestones:
  - {title: Half more visits, by: 2027-07-01, kpi: visits, value: 150}
---
kind: rule
id: low
title: Few visits
kpi: visits
condition: {threshold: {below: 80}}
"""
)
RULE = """
---
kind: rule
id: told
title: Under test
kpi: {kpi}
condition: {{governance: {condition}}}
"""


def rules_of(condition: str, kpi: str = "visits", *edits: tuple[str, str]) -> RuleSet:
    """The catalogue with one governance rule, `told`; `edits` replace texts."""
    text = CATALOGUE + RULE.format(kpi=kpi, condition=condition)
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(problem) for problem in loaded.problems]
    return loaded.rule_set


def with_target(rules: RuleSet, kpi: str = "visits", **changes: Any) -> RuleSet:
    """The same rules after an edit of a target in the catalogue."""
    kpis = tuple(
        msgspec.structs.replace(each, target=msgspec.structs.replace(each.target, **changes))
        if each.id == kpi
        else each
        for each in rules.kpis
    )
    return msgspec.structs.replace(rules, kpis=kpis)


def week(number: int) -> Micros:
    """When a week ends."""
    return BEGIN + (number + 1) * WEEK


def shares(kpi: str, number: int, value: float) -> list[JoinRecord]:
    """A week's value, three quarters of it from one shop."""
    bounds = WindowBounds(format_time(week(number) - WEEK), format_time(week(number)), number)
    found = []
    for shop, part in zip(SHOPS, (0.75 * value, value - 0.75 * value), strict=True):
        parts = Parts(1, part, part, part, 1, part, bounds.start)
        key = series_key(kpi, {"shop": shop})
        found.append(JoinRecord("told", "{}", kpi, key, bounds, 0, parts, Ids(1, "1", "x", "x"), 0))
    return found


def restated(kpi: str, number: int, value: float, revision: int, *, late: bool = False) -> list[JoinRecord]:
    """A week's value is another: what was measured was said again, or (`late`) some more of it came."""
    told: bool | msgspec.UnsetType = msgspec.UNSET if late else True
    return [msgspec.structs.replace(each, revision=revision, restated=told) for each in shares(kpi, number, value)]


class Driven:
    """One rule over weeks. `told`: what it said, by the week at whose barrier it said it."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.watch = Watch("told", "{}")
        self.told: list[tuple[int, Judgement]] = []

    @property
    def watching(self) -> Watching:
        return Watching(self.rules.rule_by_id["told"], self.rules, Limits())

    def week(self, number: int, values: Mapping[str, float], records: Sequence[Any] = ()) -> None:
        """The week ends, and an hour later its barrier comes with its values."""
        joins = [each for kpi, value in values.items() for each in shares(kpi, number, value)]
        said = self.watching.advance(self.watch, [*joins, *records], week(number) + HOUR)
        self.told += [(number, each) for each in said]

    def activate(self, number: int, rules: RuleSet) -> None:
        """The rule set changes at the barrier of that week, after its records."""
        before, self.rules = self.rules, rules
        said = self.watching.activated(self.watch, before, week(number) + HOUR)
        self.told += [(number, each) for each in said]

    def weeks(self, turn: str) -> list[int]:
        return [number for number, each in self.told if each.turn == turn]


def drive(rules: RuleSet, series: Mapping[str, Sequence[float]]) -> Driven:
    driven = Driven(rules)
    for number in range(len(next(iter(series.values())))):
        driven.week(number, {kpi: values[number] for kpi, values in series.items()})
    return driven


def merged(values: Sequence[float]) -> list[float]:
    """What two shops' shares of these values add up to, to the last bit."""
    return [0.75 * value + (value - 0.75 * value) for value in values]


def wandering(chance: random.Random, level: float, alike: float, scatter: float) -> list[float]:
    """A level with noise of which neighbours have the share `alike` in common."""
    off, found = 0.0, []
    for _ in range(WEEKS):
        off = alike * off + chance.gauss(0, scatter)
        found.append(level + off)
    return found
