"""Reconciliations as written: what they come to, and what is refused."""

from __future__ import annotations

import pytest

from engine.rules.compiler import compile_plan
from engine.rules.loader import load_read
from engine.rules.resolved.condition import Reconciliation
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
"""
OWN = {"id": "reported", "unit": "EUR", "aggregation": "sum", "window": "{every: 1h}", "dimensions": "[shop, till]"}
CATALOGUE = (
    OWN,
    OWN | {"id": "booked", "dimensions": "[shop, account]"},
    OWN | {"id": "pieces", "unit": "pieces"},
    OWN | {"id": "hourless", "window": "{every: 5m}"},
    OWN | {"id": "left", "rolls_up_to": "reported"},
    OWN | {"id": "right", "rolls_up_to": "reported", "dimensions": "[shop]"},
    OWN | {"id": "mean", "aggregation": "mean"},
    OWN | {"id": "part", "rolls_up_to": "mean", "aggregation": "mean"},
)


def kpi(fields: dict[str, str]) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"""---
kind: kpi
title: T
owner: web
objective: growth
definition: d
decision: d
direction: higher_is_better
role: lagging
target: none
{lines}"""


def loaded(written: str, of: str = "reported", more: str = ""):
    rule = f"---\nkind: rule\nid: told\ntitle: T\nkpi: {of}\ncondition: {{reconciliation: {{{written}}}}}\n{more}"
    return load_read(read_text("all.yaml", HEAD + "".join(map(kpi, CATALOGUE)) + rule))


BOUND = {
    "against: booked, tolerance: 2%": Reconciliation(("booked",), 0.02, relative=True, over=1, scope=("shop",)),
    "against: booked, tolerance: 5, over: 3": Reconciliation(("booked",), 5.0, relative=False, over=3, scope=("shop",)),
    "children: true, tolerance: 1%": Reconciliation(("left", "right"), 0.01, relative=True, over=1, scope=("shop",)),
}


@pytest.mark.parametrize("written", BOUND)
def test_what_is_written_is_what_runs(written: str):
    rules = loaded(written).rule_set
    assert rules is not None
    assert rules.rule_by_id["told"].condition == BOUND[written]


REFUSED = {
    "tolerance: 2%": ("reconciliation", "exactly one of against or children"),
    "against: booked, children: true, tolerance: 2%": ("reconciliation", "exactly one of against or children"),
    "against: booked": ("missing-field", "tolerance"),
    "against: booked, tolerance: -2": ("amount", "a change like"),
    "children: false, tolerance: 2%": ("choice", "true"),
    "against: nobody, tolerance: 2%": ("unknown-kpi", "a KPI that is declared"),
    "against: reported, tolerance: 2%": ("no-record", "another KPI than the rule's own"),
    "against: pieces, tolerance: 2%": ("different-units", "the unit of reported"),
    "against: hourless, tolerance: 2%": ("different-windows", "cut by the window of reported"),
}


@pytest.mark.parametrize("written", REFUSED)
def test_what_cannot_be_reconciled_is_refused_where_it_stands(written: str):
    [problem] = [each for each in loaded(written).problems if each.severity == "error"]
    assert problem.code == REFUSED[written][0]
    assert REFUSED[written][1].lower() in problem.expected.lower()


OTHERWISE = [
    ("children: true, tolerance: 2%", "booked", "", {"no-record"}),
    ("children: true, tolerance: 2%", "mean", "", {"not-added"}),
    ("against: booked, tolerance: 2%", "reported", "where: {till: a}\n", {"unshared-dimension"}),
    ("against: booked, tolerance: 2%", "reported", "window: {every: 1h, size: 2h}\n", {"overlapping-windows"}),
    ("against: hourless, tolerance: 2%", "reported", "window: {every: 1h}\n", set[str]()),
    ("against: booked, tolerance: 2%", "reported", "group_by: [shop]\n", {"group-by"}),
]


@pytest.mark.parametrize("case", OTHERWISE, ids=lambda case: f"{case[1]} {case[2]}")
def test_what_the_rest_of_the_rule_must_be_like(case: tuple[str, str, str, set[str]]):
    written, of, more, codes = case
    assert {each.code for each in loaded(written, of, more).problems if each.severity == "error"} == codes


def test_every_side_of_it_sends_its_windows():
    found = loaded("children: true, tolerance: 2%", more="where: {shop: a}\n")
    assert found.rule_set is not None
    plan = compile_plan(found.rule_set)
    kpis = [found.rule_set.kpis[int(view["kpi"])].id for view in plan.views]
    sending = {kpi for kpi, joins in zip(kpis, plan.joins, strict=True) if joins}
    assert sending == {"reported", "left", "right"}
    assert all(join.where == {"shop": "a"} for joins in plan.joins for join in joins)
