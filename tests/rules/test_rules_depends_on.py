"""`depends_on` names KPIs, and means all rules on them."""

from __future__ import annotations

from engine.rules.loader import load_read
from engine.rules.source import read_text

KPI = """
kind: kpi
id: {id}
title: Title
owner: ops
objective: up
definition: What it is
decision: What is done
direction: lower_is_better
role: lagging
unit: errors
aggregation: sum
window: {{every: 1h}}
cadence: 1h
dimensions: [host]
series: [{{host: a}}]
target: {{value: 1, by: 2030-12-31}}
---
"""
CATALOGUE = (
    "kind: owner\nid: ops\nname: Operations\n---\nkind: objective\nid: up\ntitle: It is up\nowner: ops\n---"
    + KPI.format(id="database")
    + KPI.format(id="shop")
)


def rule(name: str, kpi: str, *more: str) -> str:
    first = f"kind: rule\nid: {name}\ntitle: {name}\nkpi: {kpi}\ncondition: {{threshold: {{above: {len(name)}}}}}\n"
    return first + "".join(f"{line}\n" for line in more) + "---\n"


def loaded(*rules: str):
    return load_read(read_text("rules.yaml", CATALOGUE + "".join(rules)))


def test_every_rule_that_is_on_keeps_it_quiet_those_that_stand_beside_others_included():
    rules = loaded(
        rule(
            "carts", "shop", "depends_on: [database]", "inhibited_by: [network]", "critical: {threshold: {above: 90}}"
        ),
        rule("slow", "database", "no_data: firing"),
        rule("noted", "database", "mode: shadow"),
        rule("network", "shop"),
    ).rule_set
    assert rules is not None
    assert {each.id: each.inhibited_by for each in rules.rules if each.inhibited_by} == {
        "carts": ("carts.critical", "network", "slow", "slow.no_data"),
        "carts.critical": ("network", "slow", "slow.no_data"),
    }


def test_a_circle_over_kpis_is_refused_in_its_place():
    [problem] = loaded(
        rule("carts", "shop", "depends_on: [database]"), rule("slow", "database", "depends_on: [shop]")
    ).problems
    assert problem.code == "inhibition-cycle"
    assert problem.found == "a circle: carts -> slow -> carts"


def test_a_rule_does_not_depend_on_itself_and_says_where_it_depends_on_nothing():
    noted = rule("noted", "database", "mode: shadow")
    [problem] = loaded(rule("carts", "shop", "depends_on: [shop, database]"), noted).problems
    assert (problem.code, problem.severity) == ("depends-on-nothing", "warning")
    problems = loaded(rule("carts", "shop", "depends_on: [shop]"), rule("more", "shop"), noted).problems
    assert "depends-on-nothing" not in {problem.code for problem in problems}


def test_a_kpi_that_is_not_there_is_refused():
    problems = loaded(rule("carts", "shop", "depends_on: [databse]"), rule("slow", "database")).problems
    assert "unknown-kpi" in {problem.code for problem in problems}
