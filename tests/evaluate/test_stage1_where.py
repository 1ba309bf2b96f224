"""A rule with `where` hears of no other series, on whatever side of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.batch import Batch, Record
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

CATALOGUE = """
kind: owner
id: shop
name: Shop
---
kind: objective
id: growth
title: More people buy
owner: shop
---
kind: kpi
id: orders
title: Orders
owner: shop
objective: growth
definition: Orders
decision: none
direction: higher_is_better
role: lagging
unit: orders
aggregation: sum
window: {every: 60s}
dimensions: [region]
target: none
counterparts: [{kpi: refunds, minimum_effect: 5%}]
---
kind: kpi
id: refunds
title: Refunds
owner: shop
objective: growth
definition: Refunds
decision: none
direction: lower_is_better
role: lagging
unit: refunds
aggregation: sum
window: {every: 60s}
dimensions: [region, reason]
target: none
---
kind: rule
id: bought-and-sent-back
title: Orders rise and refunds follow
kpi: orders
where: {region: {matches: 'e.'}}
condition:
  counterpart_conflict:
    improves: {by: 5%, against: {median_of: 3, same: windows}}
    worsens: {by: 5%, against: {median_of: 3, same: windows}}
"""


def joined(rules: RuleSet) -> set[str]:
    """The series whose windows are sent to the join."""
    said = [
        {"kpi": kpi, "dimensions": {"region": region}, "time": f"2026-01-05T00:0{minute}:30Z", "value": 1}
        for kpi in ("orders", "refunds")
        for region in ("eu", "us", "ea")
        for minute in range(3)
    ]
    records = [Record(None, json.dumps(each).encode()) for each in said]
    stage = Stage1(0, StageContext({rules.hash: rules}, rules.hash, 1, 1))
    batch = Batch("measurements", 0, 0, len(records) - 1, len(records), encode_batch(records, 0))
    found = [json.loads(output.record.value) for output in stage.apply(batch)]
    return {record["series"] for record in found if record["type"] == "join"}


def test_a_conflict_joins_only_the_series_that_it_looks_at():
    loaded = load_read(read_text("a.yaml", CATALOGUE))
    assert loaded.rule_set is not None, loaded.problems
    regions = {json.loads("{" + series.partition("{")[2])["region"] for series in joined(loaded.rule_set)}
    assert regions == {"ea", "eu"}
