"""Late and restated data end governance where sorted, corrected data do: both stages, as a worker drives them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from late_data import NEWEST, Alert, Standing, Told, in_order, standing_of, told_late

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time, parse_own_time
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
REACH = 14 * HOUR
"""How late anything comes: lateness and grace are fifteen hours."""

_KPI = """\
---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name} of a shop
decision: Act
direction: higher_is_better
role: {role}
unit: events
aggregation: sum
window: {{every: 1h}}
lateness: 1h
grace: 14h
dimensions: [shop]
target: {target}
"""
KPIS = (
    _KPI.format(name="visits", role="leading", target="{value: 5, by: 2026-03-01, reviewed: 2026-01-05}")
    + "review: {every: 1d}\n"
    + _KPI.format(name="trials", role="leading", target="{value: 3, by: 2026-03-01}")
    + _KPI.format(name="kept", role="lagging", target="none")
)
RELAUNCH = """\
---
kind: initiative
id: relaunch
title: Relaunch
owner: web
objective: growth
milestones: [{title: Many visits, by: 2026-01-06, kpi: visits, value: 14}]
"""
_RULE = """\
---
kind: rule
id: {id}
title: {id}
kpi: {kpi}
condition: {{governance: {{{body}}}}}
review: {{reopen_within: 0s}}
"""
OVER_WINDOWS = {
    "easy": ("visits", "always_green: {windows: 8, margin: 0.2}"),
    "falling": ("kept", "green_over_falling: {windows: 8, green: 60%, at_least: 5%, sensitivity: high}"),
    "vain": ("visits", "vanity: {windows: 24, lag: 0, outcome: kept, below: 0.4}"),
}
BY_TICKS = {
    "forgotten": ("visits", "set_and_forget: {after: 1d}"),
    "remembered": ("visits", "set_and_forget: {after: 30d}"),
    "unproven": ("visits", "unproven_milestone: {windows: 12}"),
}
"""They are told at a tick, by what is known then."""
CADENCE = "cadence:visits"


def rules_of() -> RuleSet:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    declared = {**OVER_WINDOWS, **BY_TICKS}.items()
    rules = [_RULE.format(id=name, kpi=kpi, body=body) for name, (kpi, body) in declared]
    loaded = load_read(read_text("all.yaml", text + KPIS + RELAUNCH + "".join(rules)))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()
IN_ANY_ORDER = [RULES.rule_by_id[name] for name in (*OVER_WINDOWS, *BY_TICKS, CADENCE)]


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    """One of each series an hour, some missing; what is kept falls for a while, and is back where it was."""
    fall, floor = draw.choice([1, 2]), draw.randint(0, 3)
    found = []
    for hour in range(hours):
        levels = {"visits": draw.randint(floor, 12), "trials": draw.randint(1, 8), "kept": 60 - fall * (hour % 24)}
        for kpi, level in levels.items():
            for shop in "ab":
                value = float(level + draw.randint(0, 3))
                told = (kpi, format_time(BEGIN + hour * HOUR), value, {"shop": shop}, f"{kpi}-{shop}-{hour}")
                if draw.random() < 0.97:
                    found.append(Measurement(*told, revision=NEWEST))
    return found


def stands(told: list[Told], hours: int) -> Standing:
    """Of what is told at a tick only what is on."""
    until = BEGIN + (hours + 60) * HOUR
    outputs = replay(RULES, told, every=HOUR, partitions=2, begin=BEGIN, until=until).outputs
    found = standing_of(outputs, [*OVER_WINDOWS, *BY_TICKS, CADENCE])
    for rule, scope in list(found):
        if rule in BY_TICKS and any(alert.end is None for alert in found.pop((rule, scope))):
            found[rule, scope] = {Alert("", "", None)}
    return found


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(40, 60), st.integers(0, 10**9))
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_data_say(hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    late = told_late(measurements, random.Random(seed + 1), REACH)
    assert stands(late, hours) == stands(in_order(measurements), hours)


def test_every_rule_but_the_one_that_remembers_says_something_of_such_data():
    found = [stands(in_order(measured(random.Random(seed), 60)), 60) for seed in range(4)]
    assert {rule for each in found for rule, _ in each} == {*OVER_WINDOWS, *BY_TICKS, CADENCE} - {"remembered"}


@pytest.mark.parametrize("reach", [40 * HOUR])
def test_what_comes_later_than_it_may_ends_in_something_else(reach: Micros):
    measurements = measured(random.Random(5), 48)
    assert stands(told_late(measurements, random.Random(6), reach), 48) != stands(in_order(measurements), 48)
