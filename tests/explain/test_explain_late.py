"""Whatever is told of late, restated and piled-up data of single series is recomputed from its evidence."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import pytest
from late_data import cut_off, in_order, patchy, told_late

from engine.model.time import HOUR, parse_own_time
from engine.model.topics import TRIGGERS
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.replay import replay
from engine.rules.loader import load_read
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

BEGIN = parse_own_time("2026-01-05T00:00:00Z")
HOURS = 80
REACH = 8 * HOUR
KPI = """\
---
kind: kpi
id: {name}
title: {name}
owner: web
objective: growth
definition: {name} of a shop
decision: Act
direction: higher_is_better
role: leading
unit: events
{how}
window: {{every: 1h}}
dimensions: [shop, door]
target: none
"""
GRACED = "aggregation: sum\nlateness: 1h\ngrace: 8h"
RULES = {
    "above": "{threshold: {above: 9}}",
    "lasts": "{threshold: {above: 4}}\nfor: 2h\nkeep_firing_for: 1h",
    "often": "{threshold: {above: 6}}\nat_least: {m: 2, of: 4}\nfor: 1h\nwarm_up: 3",
    "worse": "{threshold: {above: 4}}\ncritical: {threshold: {above: 9}}",
    "steep": "{change: {against: {median_of: 3, same: windows}, up: 50%}}\n"
    "at_least: {m: 2, of: 4}\nkeep_firing_for: 2h",
    "band": "{anomaly: {season: none, learn: 24, sensitivity: high}}",
    "chart": "{control_chart: {rules: [western_electric_1, western_electric_2], learn: 12}}",
    "average": "{control_chart: {ewma: {lambda: 0.3, limit: 1.5}, learn: 12}}\nat_least: {m: 2, of: 3}",
    "hops": "{threshold: {above: 16}}\nwindow: {size: 3h, every: 1h}",
    "ends": "{threshold: {above: 6}}\nno_data: {then: ok, after: 3h}",
    "silent": "{threshold: {above: 6}}\nno_data: {then: firing, after: 3h}",
    "grouped": "{threshold: {above: 9}}\ngroup_by: [shop]",
    "storm": "{threshold: {above: 6}}\nlimit: 2",
}


def rules() -> RuleSet:
    text = "kind: owner\nid: web\nname: Web\n---\nkind: objective\nid: growth\ntitle: Growth\nowner: web\n"
    text += "".join(KPI.format(name=name, how=GRACED) for name in ("visits", "booked"))
    text += KPI.format(name="each", how="formula: visits / booked")
    rule = "---\nkind: rule\nid: {}\ntitle: {}\nkpi: {}\ncondition: {}\nreview: {{reopen_within: 0s}}\n"
    text += "".join(rule.format(name, name, "visits", body) for name, body in RULES.items())
    text += rule.format("formula", "formula", "each", "{threshold: {above: 3}}")
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems if each.severity == "error"]
    return loaded.rule_set


PACK = rules()


SERIES = [(kpi, {"shop": shop, "door": door}) for kpi in ("visits", "booked") for shop in "ab" for door in "xy"]


@pytest.mark.parametrize("cut", [False, True], ids=["as it comes", "cut off for a while"])
@pytest.mark.parametrize("late", [False, True], ids=["in order", "late and restated"])
@pytest.mark.parametrize("seed", [12, 15])
def test_every_word_is_recomputed_from_its_evidence(seed: int, late: bool, cut: bool):  # noqa: FBT001 (parameters)
    measurements = patchy(random.Random(seed), SERIES, BEGIN, HOURS)
    told = told_late(measurements, random.Random(seed + 1), REACH) if late else in_order(measurements)
    if cut:
        told = cut_off(told, BEGIN + 10 * HOUR, BEGIN + 45 * HOUR)
    end = BEGIN + (HOURS + 30) * HOUR
    outputs = replay(PACK, told, every=HOUR, partitions=2, begin=BEGIN, until=end).outputs
    events = [msgspec.json.decode(each.record.value or b"") for each in outputs if each.topic == TRIGGERS]
    assert {event["data"]["rule"] for event in events} >= {*RULES, "formula"} - {"band", "chart", "average"}
    for event in events:
        explained = explain(given(event))
        assert explained.failures == (), (event["data"]["rule"], event["id"], explained.failures)
