"""off_track as written: what it comes to, and what is refused."""

from __future__ import annotations

import pytest

from engine.rules.compiler import compile_plan
from engine.rules.loader import load_read
from engine.rules.resolved.condition import OffTrack
from engine.rules.source import read_text

HEAD = """\
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
id: sales
title: T
owner: web
objective: growth
definition: d
decision: d
role: lagging
unit: EUR
aggregation: sum
window: {every: 1h}
dimensions: [shop, till]
"""
DATED = "target: {value: 50, by: 2026-12-31}"


def loaded(written: str, target: str = DATED, direction: str = "higher_is_better", more: str = ""):
    kpi = f"direction: {direction}\n{target}\n"
    rule = f"---\nkind: rule\nid: told\ntitle: T\nkpi: sales\ncondition: {{off_track: {written}}}\n{more}"
    return load_read(read_text("all.yaml", HEAD + kpi + rule))


BOUND = {
    "{}": OffTrack(50, "2026-12-31", higher_is_better=True, confidence=0.9, learn=28, scope=()),
    "{confidence: 80%, learn: 60, scope: [till, shop]}": OffTrack(
        50, "2026-12-31", higher_is_better=True, confidence=0.8, learn=60, scope=("shop", "till")
    ),
}


@pytest.mark.parametrize("written", BOUND)
def test_what_is_written_is_what_runs(written: str):
    rules = loaded(written).rule_set
    assert rules is not None
    assert rules.rule_by_id["told"].condition == BOUND[written]


def test_the_direction_says_which_side_is_good():
    rules = loaded("{}", direction="lower_is_better").rule_set
    assert rules is not None
    condition = rules.rule_by_id["told"].condition
    assert isinstance(condition, OffTrack)
    assert not condition.higher_is_better


REFUSED = [
    ("{}", "target: none", "higher_is_better", "", "no-dated-target", "none"),
    ("{}", "target: {value: 5, by: quarter-end}", "higher_is_better", "", "no-dated-target", "at each quarter-end"),
    ("{}", DATED, "in_band", "", "no-direction", "in_band"),
    ("{confidence: 40%}", DATED, "higher_is_better", "", "confidence", "0.4"),
    ("{confidence: 100%}", DATED, "higher_is_better", "", "confidence", "1"),
    ("{learn: 15}", DATED, "higher_is_better", "", "range", "15"),
    ("{learn: 121}", DATED, "higher_is_better", "", "range", "121"),
    ("{scope: [till, nowhere]}", DATED, "higher_is_better", "", "unknown-dimension", "nowhere"),
    (
        "{}",
        DATED,
        "higher_is_better",
        "window: {every: 1h, size: 2h}\n",
        "overlapping-windows",
        "count measurements twice",
    ),
    ("{}", DATED, "higher_is_better", "group_by: [shop]\n", "group-by", "off_track"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[4]} {case[5]}")
def test_what_cannot_be_forecast_is_refused_where_it_stands(case: tuple[str, str, str, str, str, str]):
    written, target, direction, more, code, found = case
    [problem] = [each for each in loaded(written, target, direction, more).problems if each.severity == "error"]
    assert (problem.code, problem.file) == (code, "all.yaml")
    assert found in problem.found


def test_a_target_without_a_date_is_refused_at_the_condition():
    [problem] = [each for each in loaded("{}", "target: none").problems if each.severity == "error"]
    assert (problem.line, problem.column) == (29, 13)
    assert "2026-12-31" in problem.mend


def test_another_target_is_another_rule():
    prints = set()
    for target in (DATED, "target: {value: 51, by: 2026-12-31}", "target: {value: 50, by: 2026-12-30}"):
        rules = loaded("{}", target).rule_set
        assert rules is not None
        prints.add(rules.rule_by_id["told"].fingerprint)
    assert len(prints) == 3


def test_its_kpi_sends_its_windows_to_the_scope():
    rules = loaded("{scope: [shop]}", more="where: {till: a}\n").rule_set
    assert rules is not None
    plan = compile_plan(rules)
    [join] = [join for joins in plan.joins for join in joins]
    assert (join.correlation, join.scope, join.where) == ("told", ("shop",), {"till": "a"})
