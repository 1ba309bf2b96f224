"""Late and restated data leave on what sorted, corrected data do, where series are gathered: in groups and storms.

Gathered series are told of as they are heard of, barrier by barrier: which of them fire in the end is the same in any
order, when the gathering began and who was apart is not.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from late_data import NEWEST, Told, in_order, told_late

from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import GroupEvidence, ReviewTrigger
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
REACH = 8 * HOUR
"""How late anything comes: lateness and grace are nine hours."""

_CATALOGUE = """\
kind: owner
id: web
name: Web
---
kind: objective
id: growth
title: Growth
owner: web
---
kind: kpi
id: visits
title: Visits
owner: web
objective: growth
definition: Visits of a shop
decision: Act
direction: higher_is_better
role: leading
unit: events
aggregation: sum
window: {every: 1h}
lateness: 1h
grace: 8h
dimensions: [shop, door]
target: none
"""
GATHERED = {
    "alone": "condition: {threshold: {below: 4}}",
    "by-shop": "condition: {threshold: {below: 4}}\ngroup_by: [shop]",
    "all": "condition: {threshold: {above: 6}}\nat_least: {m: 2, of: 3}\ngroup_by: []",
    "lasting": "condition: {threshold: {below: 6}}\nfor: 1h\nkeep_firing_for: 1h\ngroup_by: [door]",
    "few-apart": "condition: {threshold: {below: 4}}\nlimit: 3",
    "one-apart": "condition: {threshold: {above: 10}}\nlimit: 1",
}


def rules_of() -> RuleSet:
    rules = [
        f"---\nkind: rule\nid: {name}\ntitle: {name}\nkpi: visits\n{body}\nreview: {{reopen_within: 0s}}\n"
        for name, body in GATHERED.items()
    ]
    loaded = load_read(read_text("all.yaml", _CATALOGUE + "".join(rules)))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


RULES = rules_of()
IN_ANY_ORDER = [RULES.rule_by_id[name] for name in GATHERED]


def measured(draw: random.Random, hours: int) -> list[Measurement]:
    return [
        Measurement("visits", format_time(BEGIN + hour * HOUR), float(draw.choice([1, 5, 7, 12])),
                    {"shop": shop, "door": door}, f"{shop}{door}-{hour}", revision=NEWEST)
        for hour in range(hours)
        for shop in "ab"
        for door in "xyz"
    ]  # fmt: skip


def fires(told: list[Told], hours: int) -> dict[str, set[str]]:
    """By rule the series that its open reviews are about, by the newest word of each."""
    until = BEGIN + (hours + 60) * HOUR
    newest: dict[str, ReviewTrigger] = {}
    for output in replay(RULES, told, partitions=2, begin=BEGIN, until=until).outputs:
        if output.topic == TRIGGERS:
            trigger = msgspec.json.decode(output.record.value or b"", type=ReviewTrigger)
            newest[trigger.data.review] = trigger
    found: dict[str, set[str]] = {}
    for data in [trigger.data for trigger in newest.values() if trigger.data.alert == "on"]:
        evidence = data.evidence
        series = {each.series for each in evidence.listed} if isinstance(evidence, GroupEvidence) else {data.scope}
        found.setdefault(data.rule, set()).update(series)
    return found


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.integers(8, 40), st.integers(0, 10**9))
def test_in_the_end_the_series_are_told_to_fire_that_do_by_sorted_corrected_data(hours: int, seed: int):
    measurements = measured(random.Random(seed), hours)
    assert fires(told_late(measurements, random.Random(seed + 1), REACH), hours) == fires(in_order(measurements), hours)


def test_each_of_them_fires_in_the_end_of_some_such_data():
    found = [fires(in_order(measured(random.Random(seed), 30)), 30) for seed in range(5)]
    assert {rule for each in found for rule in each} == set(GATHERED)
