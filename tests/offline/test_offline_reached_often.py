"""Which side of its limits a rule is seen to fire on, where the point that it fires with lies within them."""

from __future__ import annotations

import pytest

from engine.offline.reached import DOWN, UP
from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.source import read_text

TEXT = """
kind: owner
id: ops
name: Operations
---
kind: objective
id: up
title: It is up
owner: ops
---
kind: kpi
id: errors
title: Errors
owner: ops
objective: up
definition: Requests that failed
decision: Roll back
direction: lower_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
target: {value: 1, by: 2030-12-31}
---
kind: rule
id: told
title: Told
kpi: errors
condition: {COND}
at_least: {m: 1, of: 4}
for: 2h
---
kind: test
id: once
start: 2026-01-05T00:00:00Z
every: 1h
measurements: [{kpi: errors, values: VALUES}]
expect: [{rule: told, firing: [{from: FROMh}]}]
"""
CONDITIONS = {
    "threshold: {outside: [5, 20]}": "10 11 9 10",
    "control_chart: {rules: [nelson_1], centre: 10, sigma: 2}": "10 11 9 10",
    "anomaly: {season: none, learn: 30}": "(10 11 9 10 12 8)x6",
}


@pytest.mark.parametrize(("far", "side"), [("90", UP), ("-70", DOWN)])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_it_is_the_side_of_the_points_that_were_past_them(condition: str, far: str, side: str):
    before = CONDITIONS[condition]
    hours = 4 if "x" not in before else 36
    text = TEXT.replace("COND", condition).replace("VALUES", f"{before} {far} 9 11").replace("FROM", f"{hours + 3}")
    loaded = load_read(read_text("all.yaml", text))
    assert loaded.rule_set is not None, [str(each) for each in loaded.problems]
    verdict = run_test(loaded.tests[0], loaded.rule_set)
    assert verdict.differences == ()
    assert {each.branch for each in verdict.reached} & {UP, DOWN} == {side}
