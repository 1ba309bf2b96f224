"""What a governance rule must have to be sound: each refusal at its place, with a way out."""

from __future__ import annotations

import pytest
from governed_world import CATALOGUE, RULE, rules_of

from engine.model.time import DAY
from engine.offline.reached import branches_of
from engine.rules.loader import load_read
from engine.rules.resolved.governance import (
    GreenOverFalling,
    MovedGoalposts,
    RestatedInFavour,
    UnprovenMilestone,
    Vanity,
)
from engine.rules.source import read_text

Edit = tuple[str, str]


def problems(
    condition: str, kpi: str = "visits", edits: tuple[Edit, ...] = (), more: str = ""
) -> list[tuple[str, str]]:
    """(code, the line that it points to), errors only."""
    text = CATALOGUE + RULE.format(kpi=kpi, condition=condition).rstrip() + "\n" + more
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    found = load_read(read_text("all.yaml", text)).problems
    lines = text.splitlines()
    return [(each.code, lines[each.line - 1].strip()) for each in found if each.severity == "error"]


NO_TARGET = (("target: {value: 100, by: 2030-12-31}", "target: none"),)
IN_BAND = (
    ("direction: higher_is_better\nrole: leading\nunit: visits", "direction: in_band\nrole: leading\nunit: visits"),
)
HOPPING = (
    (
        "unit: visits\naggregation: sum\nwindow: {every: 7d}",
        "unit: visits\naggregation: sum\nwindow: {size: 14d, every: 7d}",
    ),
)
DAILY = (
    ("unit: visits\naggregation: sum\nwindow: {every: 7d}", "unit: visits\naggregation: sum\nwindow: {every: 1d}"),
)
GRACE = (
    (
        "unit: visits\naggregation: sum\nwindow: {every: 7d}",
        "unit: visits\naggregation: sum\nwindow: {every: 7d}\ngrace: 30d",
    ),
)
NO_BOARD = (*NO_TARGET, ("target: {value: 40, by: 2030-12-31}", "target: none"))
NO_OUTCOME = (
    ("objective: growth\ndefinition: Customers", "objective: other\ndefinition: Customers"),
    (
        "---\nkind: kpi\nid: visits",
        "---\nkind: objective\nid: other\ntitle: Other\nowner: web\n---\nkind: kpi\nid: visits",
    ),
)
GREEN = "{green_over_falling: {windows: 52}}"
VAIN = "{vanity: {windows: 52}}"


@pytest.mark.parametrize(
    ("condition", "kpi", "edits", "more", "expected"),
    [
        ("{}", "visits", (), "", "governance"),
        ("{always_green: {windows: 52}, vanity: {windows: 52}}", "visits", (), "", "governance"),
        ("{always_green: {windows: 7}}", "visits", (), "", "range"),
        ("{set_and_forget: {after: 60d}}", "visits", NO_TARGET, "", "no-target"),
        ("{always_green: {windows: 52}}", "visits", NO_TARGET, "", "no-target"),
        ("{always_green: {windows: 52}}", "visits", IN_BAND, "", "no-direction"),
        ("{always_green: {windows: 52}}", "visits", HOPPING, "", "overlapping-windows"),
        ("{unproven_milestone: {}}", "trials", (), "", "no-milestone"),
        (GREEN, "kept", DAILY, "", "different-windows"),
        (GREEN, "kept", NO_BOARD, "", "no-board"),
        (GREEN, "visits", (), "", "role"),
        (VAIN, "kept", (), "", "role"),
        ("{vanity: {windows: 52, outcome: trials}}", "visits", (), "", "no-outcome"),
        ("{vanity: {windows: 52, outcome: visits}}", "visits", (), "", "no-outcome"),
        ("{vanity: {windows: 52, outcome: nobody}}", "visits", (), "", "unknown-kpi"),
        (VAIN, "visits", NO_OUTCOME, "", "no-outcome"),
        (VAIN, "visits", DAILY, "", "different-windows"),
        ("{restated_in_favour: {windows: 52}}", "visits", (), "", "no-grace"),
        ("{restated_in_favour: {windows: 52}}", "visits", GRACE, "grace: 0s", "no-grace"),
        ("{restated_in_favour: {windows: 52}}", "visits", IN_BAND, "grace: 30d", "no-direction"),
        ("{restated_in_favour: {windows: 52}}", "visits", HOPPING, "grace: 30d", "overlapping-windows"),
        ("{restated_in_favour: {windows: 52, period: month, near: 6d}}", "visits", GRACE, "", "near"),
        ("{restated_in_favour: {windows: 52, period: month, near: 28d}}", "visits", GRACE, "", "near"),
        ("{restated_in_favour: {windows: 52, period: quarter}}", "visits", GRACE, "", "near"),
        ("{restated_in_favour: {windows: 52, near: 7d}}", "visits", GRACE, "", "near"),
        ("{restated_in_favour: {windows: 52, in_favour: 50%}}", "visits", GRACE, "", "share"),
        ("{restated_in_favour: {windows: 52, changed: 6}}", "visits", GRACE, "", "range"),
        ("{restated_in_favour: {windows: 52}}", "visits", GRACE, "window: {every: 1d}", "governance-field"),
        ("{moved_goalposts: {}}", "visits", (), "where: {shop: a}", "governance-field"),
        ("{moved_goalposts: {}}", "visits", (), "for: 7d", "governance-field"),
        ("{moved_goalposts: {}}", "visits", (), "group_by: []", "group-by"),
        ("{moved_goalposts: {}}", "visits", (), "review: {renotify: 20%}", "renotify"),
        ("{moved_goalposts: {}}", "visits", (), "points: raw", "raw-points"),
        ("{always_green: {windows: 52}}", "visits", (), "window: {every: 7d}", "governance-field"),
    ],
)  # fmt: skip
def test_what_a_governance_rule_lacks_is_said(
    condition: str, kpi: str, edits: tuple[Edit, ...], more: str, expected: str
):
    found = problems(condition, kpi, edits, more)
    assert [code for code, _ in found] == [expected], found


def test_a_problem_points_to_the_field_that_it_is_about():
    assert problems("{moved_goalposts: {}}", more="where: {shop: a}") == [("governance-field", "where: {shop: a}")]
    assert problems(GREEN, "visits") == [("role", "kpi: visits")]


@pytest.mark.parametrize(
    ("condition", "kpi", "bound"),
    [
        (GREEN, "kept", GreenOverFalling(("trials", "visits"), 52, 0.9, 3.1, 0.1)),
        ("{green_over_falling: {windows: 26, sensitivity: high, green: 80%, at_least: 5%}}", "kept",
         GreenOverFalling(("trials", "visits"), 26, 0.8, 2.3, 0.05)),
        (VAIN, "visits", Vanity("kept", 52, 4, 0.4)),
        ("{moved_goalposts: {}}", "visits", MovedGoalposts(("low",))),
        ("{moved_goalposts: {}}", "trials", MovedGoalposts(())),
        ("{unproven_milestone: {}}", "visits", UnprovenMilestone(7)),
    ],
)  # fmt: skip
def test_what_is_not_written_is_taken_from_the_catalogue(condition: str, kpi: str, bound: object):
    loaded = load_read(read_text("all.yaml", CATALOGUE + RULE.format(kpi=kpi, condition=condition)))
    assert loaded.rule_set is not None
    assert loaded.rule_set.rule_by_id["told"].condition == bound


@pytest.mark.parametrize(
    "condition", ["{moved_goalposts: {}}", "{set_and_forget: {after: 60d}}", "{always_green: {windows: 52}}"]
)
def test_rule_tests_are_to_reach_what_an_edit_of_the_catalogue_brings_about_like_anything_else(condition: str):
    loaded = load_read(read_text("all.yaml", CATALOGUE + RULE.format(kpi="visits", condition=condition)))
    assert loaded.rule_set is not None
    assert branches_of(loaded.rule_set.rule_by_id["told"]) == ("fires", "recovers", "keeps silent")


def test_a_vanity_rule_may_cut_both_by_windows_of_its_own():
    assert problems(VAIN, edits=DAILY, more="window: {every: 14d}") == []


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ("windows: 52", RestatedInFavour(52, 0.75, 10, 0.01, 0.001)),
        (
            "windows: 26, in_favour: 80%, changed: 7, at_least: 2%, sensitivity: high, period: quarter, near: 14d",
            RestatedInFavour(26, 0.8, 7, 0.02, 0.01, "quarter", 14 * DAY),
        ),
    ],
)
def test_what_is_not_written_of_restatements_is_usual(fields: str, bound: RestatedInFavour):
    rule = rules_of(f"{{restated_in_favour: {{{fields}}}}}", "visits", *GRACE).rule_by_id["told"]
    assert (rule.condition, rule.grace) == (bound, 30 * DAY)
    assert branches_of(rule) == ("fires", "recovers", "keeps silent")
