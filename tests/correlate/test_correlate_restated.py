"""Late and restated data end in what sorted, corrected data would have said, also where rules join: both stages, as a
worker drives them.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from late_data import NEWEST, Standing, Told, in_order, standing_of, told_late

from engine.model.measurement import Measurement
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
REACH = 8 * HOUR
"""How late anything comes: lateness and grace are nine hours."""

_KPI = """\
---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name} of a shop
decision: Act
direction: {direction}
role: leading
unit: events
aggregation: {aggregation}
window: {{every: 1h}}
lateness: 1h
grace: 8h
dimensions: [shop, door]
target: {{value: 1, by: 2026-01-07}}
counterparts: {counterparts}
"""
_RULE = """\
---
kind: rule
id: {id}
title: {id}
{body}
review: {{reopen_within: 0s}}
"""
JOINED = {
    "conflict": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}",
    "relative": "kpi: visits\ncondition: {counterpart_conflict: {"
    "improves: {against: {median_of: 4, same: windows}, by: 20%}, "
    "worsens: {against: {median_of: 4, same: windows}, by: 20%}}}",
    "books": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}",
    "books-often": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}\n"
    "at_least: {m: 3, of: 4}\nwarm_up: 6\nkeep_firing_for: 1h",
    "conflict-often": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}\n"
    "at_least: {m: 2, of: 4}\nwarm_up: 3",
    "books-lasting": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}\n"
    "for: 1h\nkeep_firing_for: 2h",
    "books-both": "kpi: visits\ncondition: {reconciliation: {against: booked, tolerance: 25%}}\n"
    "at_least: {m: 2, of: 3}\nfor: 2h\nkeep_firing_for: 1h",
    "conflict-lasting": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 4}, worsens: {above: 4}}}\n"
    "for: 1h\nkeep_firing_for: 1h",
    "conflict-both": "kpi: visits\ncondition: {counterpart_conflict: {improves: {above: 6}, worsens: {above: 6}}}\n"
    "at_least: {m: 2, of: 4}\nfor: 1h",
    "course": "kpi: tickets\ncondition: {off_track: {learn: 24, scope: [shop], confidence: 60%}}",
    "course-lasting": "kpi: tickets\ncondition: {off_track: {learn: 24, scope: [shop], confidence: 60%}}\n"
    "for: 2h\nkeep_firing_for: 2h",
    "course-often": "kpi: tickets\ncondition: {off_track: {learn: 24, scope: [shop], confidence: 60%}}\n"
    "at_least: {m: 2, of: 4}\nwarm_up: 26",
    "easy": "kpi: visits\ncondition: {governance: {always_green: {windows: 8, margin: 0.5}}}",
    "both": "condition: {composite: {all: [many-visits, many-tickets]}}",
    "either": "condition: {composite: {any: [many-tickets, few-visits]}}",
    "several": "condition: {composite: {at_least: {count: 2, of: [many-visits, many-tickets, few-visits]}}}",
    "unless": "condition: {composite: {any: [many-visits, many-tickets], not: [few-visits]}}",
    "after": "condition: {composite: {sequence: [few-visits, many-visits], within: 6h}}",
    "lacks": "condition: {composite: {all: [many-tickets], absent: [few-visits], within: 3h}}",
}
MEMBERS = {
    "many-visits": "kpi: visits\ncondition: {threshold: {above: 9}}",
    "many-tickets": "kpi: tickets\ncondition: {threshold: {above: 9}}",
    "few-visits": "kpi: visits\ncondition: {threshold: {below: 4}}",
}
SERIES = [
    (kpi, {"shop": shop, "door": door}) for kpi in ("visits", "tickets", "booked") for shop in "ab" for door in "xy"
]


def rules_of() -> object:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    for name, direction, counterparts in (
        ("visits", "higher_is_better", "[{kpi: tickets, minimum_effect: 10%}]"),
        ("tickets", "lower_is_better", "[]"),
        ("booked", "higher_is_better", "[]"),
    ):
        text += _KPI.format(name=name, direction=direction, aggregation="sum", counterparts=counterparts)
    text += "".join(_RULE.format(id=name, body=body) for name, body in {**JOINED, **MEMBERS}.items())
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()
IN_ANY_ORDER = [RULES.rule_by_id[name] for name in (*JOINED, *MEMBERS)]


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    """One of each series an hour, some hours missing: whole numbers, so that no sum depends on its order."""
    return [
        Measurement(kpi, format_time(BEGIN + hour * HOUR), float(draw.choice([1, 2, 5, 7, 12])), dimensions,
                    f"{kpi}{number}-{hour}", revision=NEWEST)
        for hour in range(hours)
        for number, (kpi, dimensions) in enumerate(SERIES)
        if draw.random() < 0.95
    ]  # fmt: skip


def stands(told: list[Told], hours: int) -> Standing:
    until = BEGIN + (hours + 60) * HOUR
    return standing_of(replay(RULES, told, every=HOUR, partitions=2, begin=BEGIN, until=until).outputs, JOINED)


@settings(max_examples=7, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(24, 60), st.integers(0, 10**9))
@example(59, 35)  # an alert that began earlier than was said, and is then split where it was said to begin
@example(48, 25)  # the same, of a rule with `for`
def test_any_order_and_any_corrections_end_in_what_sorted_corrected_data_say(hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    late = told_late(measurements, random.Random(seed + 1), REACH)
    assert stands(late, hours) == stands(in_order(measurements), hours)


def test_every_rule_says_something_of_such_data():
    found = stands(in_order(measured(random.Random(5), 60)), 60)
    assert {rule for rule, _ in found} == set(JOINED)


@pytest.mark.parametrize("reach", [30 * HOUR])
def test_what_comes_later_than_it_may_ends_in_something_else(reach: Micros):
    measurements = measured(random.Random(5), 48)
    assert stands(told_late(measurements, random.Random(6), reach), 48) != stands(in_order(measurements), 48)
