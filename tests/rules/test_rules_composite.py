"""Composites as written: what they come to, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.model.time import HOUR
from engine.rules.loader import load_read
from engine.rules.resolved.condition import Composite
from engine.rules.source import read_text

if TYPE_CHECKING:
    from engine.rules.problems import Problem

CATALOGUE = """\
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
decision: Buy less traffic
direction: higher_is_better
role: leading
unit: visits
aggregation: sum
window: {every: 1h}
dimensions: [shop, country]
target: none
"""
MEMBERS = "".join(
    f"---\nkind: rule\nid: {name}\ntitle: T\nkpi: visits\ncondition: {{threshold: {{above: {limit}}}}}\n"
    for name, limit in (("a", 1), ("b", 2), ("c", 3), ("d", 4))
)


def loaded(composite: str):
    rule = f"---\nkind: rule\nid: told\ntitle: T\ncondition: {{composite: {{{composite}}}}}\n"
    return load_read(read_text("all.yaml", CATALOGUE + MEMBERS + rule))


BOUND = {
    "all: [b, a], not: [c]": Composite("all", ("a", "b"), ("country", "shop"), without=("c",)),
    "any: [a], not: [d, c]": Composite("any", ("a",), ("country", "shop"), without=("c", "d")),
    "at_least: {count: 2, of: [c, b, a]}": Composite("at_least", ("a", "b", "c"), ("country", "shop"), count=2),
    "sequence: [c, a], within: 2h": Composite("sequence", ("c", "a"), ("country", "shop"), within=2 * HOUR),
    "all: [a], absent: [b], within: 2h, scope: [shop]": Composite(
        "all", ("a",), ("shop",), absent=("b",), within=2 * HOUR
    ),
}


@pytest.mark.parametrize("written", BOUND)
def test_what_is_written_is_what_runs(written: str):
    rules = loaded(written).rule_set
    assert rules is not None
    assert rules.rule_by_id["told"].condition == BOUND[written]


REFUSED = {
    "all: [a], any: [b]": ("composite", "exactly one of all, any, at_least or sequence"),
    "not: [a]": ("composite", "exactly one of all, any, at_least or sequence"),
    "at_least: {count: 3, of: [a, b]}": ("composite", "a `count` not above the 2 rules"),
    "sequence: [a], within: 2h": ("length", "2"),
    "sequence: [a, b]": ("composite", "a time `within` beside `sequence`"),
    "all: [a], absent: [b]": ("composite", "a time `within` beside `absent`"),
    "all: [a], within: 2h": ("composite", "`within` only with `sequence` or `absent`"),
    "sequence: [a, b], absent: [c], within: 2h": ("composite", "`sequence` or `absent`"),
    "sequence: [a, b, a], within: 2h": ("composite", "each rule in one part of a composite, once"),
    "all: [a, b], not: [b]": ("composite", "each rule in one part of a composite, once"),
    "all: [a], not: [b], absent: [b], within: 2h": ("composite", "each rule in one part of a composite, once"),
    "sequence: [a, x], within: 2h": ("unknown-rule", "a rule that is declared"),
    "at_least: {count: 1, of: [x]}": ("unknown-rule", "a rule that is declared"),
    "all: [a], not: [x]": ("unknown-rule", "a rule that is declared"),
    "all: [a], absent: [told], within: 2h": ("composite-member", "a rule on single series"),
    "sequence: [a, told], within: 2h": ("composite-member", "a rule on single series"),
}


@pytest.mark.parametrize("written", REFUSED)
def test_what_makes_no_composite_is_refused_where_it_stands(written: str):
    problems: list[Problem] = [each for each in loaded(written).problems if each.severity == "error"]
    [problem] = problems
    assert problem.code == REFUSED[written][0]
    assert REFUSED[written][1] in problem.expected


def test_a_member_that_changes_changes_the_composite_that_must_go_without_it():
    written = "all: [a], not: [b], absent: [c], within: 2h"
    before = loaded(written)
    text = (CATALOGUE + MEMBERS).replace("above: 3", "above: 30")
    rule = f"---\nkind: rule\nid: told\ntitle: T\ncondition: {{composite: {{{written}}}}}\n"
    after = load_read(read_text("all.yaml", text + rule))
    prints = [each.rule_set.rule_by_id["told"].fingerprint for each in (before, after) if each.rule_set]
    assert len(set(prints)) == 2


@pytest.mark.parametrize("field", ["for", "keep_firing_for"])
@pytest.mark.parametrize("condition", ["composite: {all: [a, b]}", "missing_data: {after: 2h}"])
def test_what_is_on_by_what_others_say_has_nothing_to_last(field: str, condition: str):
    kpi = "" if condition.startswith("composite") else "kpi: visits\n"
    rule = f"---\nkind: rule\nid: told\ntitle: T\n{kpi}condition: {{{condition}}}\n{field}: 1h\n"
    found = load_read(read_text("all.yaml", CATALOGUE + MEMBERS + rule))
    [problem] = [each for each in found.problems if each.severity == "error"]
    assert (problem.code, problem.expected) == (
        "nothing-to-last",
        f"no `{field}` beside `{condition.partition(':')[0]}`",
    )
    assert (CATALOGUE + MEMBERS + rule).split("\n")[problem.line - 1].startswith(f"{field}:")


def test_a_burn_rate_goes_on_firing_as_long_as_its_windows_do():
    written = (
        "kpi: share\ncondition: {burn_rate: {objective: 99%, factor: 2, long: 6h, short: 1h}}\nkeep_firing_for: 2h\n"
    )
    share = CATALOGUE.partition("---\nkind: kpi\n")[2].replace("id: visits", "id: share").replace("sum", "share")
    rule = f"---\nkind: rule\nid: burn\ntitle: T\n{written}"
    found = load_read(read_text("all.yaml", f"{CATALOGUE}---\nkind: kpi\n{share}{rule}"))
    assert [each for each in found.problems if each.severity == "error"] == []
    assert found.rule_set is not None
    kept = {each.id: each.keep_firing_for for each in found.rule_set.rules}
    assert kept == {"burn": 0, "burn.long": 2 * HOUR, "burn.short": 2 * HOUR}
