from __future__ import annotations

from collections.abc import Callable

import pytest
from working_time import utc

from engine.model.time import DAY, HOUR, MINUTE, from_datetime
from engine.rules.calendar import transitions
from engine.rules.compiler import compile_plan
from engine.rules.due import DUE_WITHIN, due_at
from engine.rules.excerpt import excerpt_of
from engine.rules.resolved.catalogue import CadenceSpec, Milestone
from engine.rules.resolved.condition import Cadence, Precision
from engine.rules.resolved.rule import Step
from engine.rules.resolved.timing import Due
from engine.rules.ruleset import RuleSet

Bind = Callable[[str], RuleSet]

RULE = """
kind: rule
id: r
title: A rule
kpi: support.tickets
condition: {threshold: {above: 10}}
"""
OFFICE = """
kind: calendar
id: office
zone: America/New_York
hours: {mon-thu: "09:00-12:00, 13:00-17:00", fri: "09:00-15:00"}
holidays: [2030-12-25, {date: 2025-12-25, name: Christmas}, 2030-12-25]
"""
REVIEWED = """
kind: kpi
id: shop.orders
title: Orders
owner: sales
objective: growth
definition: Orders that were paid
decision: Order from the supplier
direction: higher_is_better
role: lagging
unit: orders
aggregation: count
window: {every: 1h}
dimensions: [site, customer]
sensitive: [customer]
target: none
review: {every: 90d, due_in: 2 business days, calendar: office, question: Still right?, participants: [ops]}
"""


def test_a_calendar_is_bound_with_its_zone(rule_set_of: Bind):
    rules = rule_set_of(OFFICE)
    [office] = rules.calendars
    day = ((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))
    assert office.week == (day, day, day, day, ((9 * HOUR, 15 * HOUR),), (), ())
    assert office.holidays == ("2025-12-25", "2030-12-25")
    assert rules.zones["America/New_York"] == transitions("America/New_York")
    assert RuleSet.decode(rules.encoded) == rules


@pytest.mark.parametrize("days", ["sat-tue", "sat, sun-tue", "SAT-TUE", "sun,sat, tue - tue, mon"])
def test_weekdays_are_written_in_many_ways(rule_set_of: Bind, days: str):
    [calendar] = rule_set_of(f'kind: calendar\nid: c\nzone: UTC\nhours: {{"{days}": "00:00-24:00"}}').calendars
    assert calendar.week == (((0, DAY),), ((0, DAY),), (), (), (), ((0, DAY),), ((0, DAY),))


@pytest.mark.parametrize(
    ("written", "due_in", "escalate_after"),
    [
        ("{}", None, Due(micros=DAY)),
        ("{due_in: 4h}", Due(micros=4 * HOUR), Due(micros=DAY)),
        ("{due_in: 1 business hour, calendar: office}", Due(HOUR, 0, "office"), Due(0, 1, "office")),
        ("{due_in: 90 business minutes, calendar: office}", Due(90 * MINUTE, 0, "office"), Due(0, 1, "office")),
        ("{due_in: 2 business days, calendar: office, escalate_after: 6h}", Due(0, 2, "office"), Due(6 * HOUR)),
        ("{due_in: 4h, calendar: office, escalate_after: 1 business day}", Due(4 * HOUR), Due(0, 1, "office")),
    ],
)
def test_due_times_are_on_the_clock_or_in_working_time(
    rule_set_of: Bind, written: str, due_in: Due | None, escalate_after: Due
):
    review = rule_set_of(f"{OFFICE}---{RULE}review: {written}\n").rule_by_id["r"].review
    assert (review.due_in, review.escalate_after) == (due_in, escalate_after)


def test_what_a_review_does_when_nothing_is_said(rule_set_of: Bind):
    rule = rule_set_of(RULE).rule_by_id["r"]
    review = rule.review
    assert (review.reopen_within, review.flap_after, review.renotify) == (HOUR, 3, None)
    assert (rule.group_by, rule.inhibited_by) == (None, ())


def test_what_a_review_does_when_all_is_said(rule_set_of: Bind):
    said = "group_by: []\ninhibited_by: [sessions-low]\nreview: {reopen_within: 0s, flap_after: 2, renotify: 20%}\n"
    rule = rule_set_of(RULE + said).rule_by_id["r"]
    assert (rule.review.reopen_within, rule.review.flap_after, rule.review.renotify) == (0, 2, Step(0.2, relative=True))
    assert (rule.group_by, rule.inhibited_by) == ((), ("sessions-low",))


@pytest.mark.parametrize(
    "line",
    [
        "inhibited_by: [sessions-low]",
        "review: {due_in: 2d, escalate_after: 3d, question: Why?}",
        "review: {reopen_within: 0s, flap_after: 9}",
    ],
)
def test_what_becomes_of_a_review_leaves_the_fingerprint(rule_set_of: Bind, line: str):
    before, after = (rule_set_of(text).rule_by_id["r"] for text in (RULE, f"{RULE}{line}\n"))
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    "line", ["group_by: []", "group_by: [site]", "review: {renotify: 20%}", "review: {renotify: 2}"]
)
def test_what_findings_there_are_is_in_the_fingerprint(rule_set_of: Bind, line: str):
    before, after = (rule_set_of(text).rule_by_id["r"] for text in (RULE, f"{RULE}{line}\n"))
    assert before.fingerprint != after.fingerprint


def test_the_step_of_a_group_counts_members_and_is_none_of_the_first_stage(rule_set_of: Bind):
    grouped = f"{RULE}group_by: [site]\n"
    before, after = (rule_set_of(text).rule_by_id["r"] for text in (grouped, f"{grouped}review: {{renotify: 2}}\n"))
    assert before.fingerprint == after.fingerprint
    assert after.review.renotify == Step(2.0, relative=False)


def test_owners_objectives_and_initiatives_say_who_answers_and_what_for(rule_set_of: Bind):
    initiative = (
        "kind: initiative\nid: i\ntitle: I\nowner: ops\nobjective: o\n"
        "milestones: [{title: A, by: 2030-06-30, kpi: support.tickets, value: 60, done: 2030-06-01}]"
    )
    objective = "kind: objective\nid: o\ntitle: O\nowner: ops\nsponsor: sales\nboard: board"
    rules = rule_set_of(f"kind: owner\nid: board\nname: B\nnoise_budget: 20\n---\n{objective}\n---\n{initiative}")
    assert {owner.id: owner.noise_budget for owner in rules.owners}["board"] == 20
    assert [(it.sponsor, it.board) for it in rules.objectives if it.id == "o"] == [("sales", "board")]
    [initiative] = rules.initiatives
    assert initiative.milestones == (Milestone("A", "2030-06-30", "support.tickets", 60.0, "2030-06-01"),)


def test_a_kpi_that_is_to_be_reviewed_is_watched_for_it(rule_set_of: Bind):
    rules = rule_set_of(f"{OFFICE}---{REVIEWED}")
    kpi = rules.kpi_by_id["shop.orders"]
    assert kpi.review == CadenceSpec(90 * DAY, Due(0, 2, "office"), "Still right?", ("ops",))
    assert kpi.sensitive == ("customer",)
    rule = rules.rule_by_id["cadence:shop.orders"]
    assert rule.title == "No review of Orders for 90 days"
    assert (rule.kpi, rule.condition, rule.severity, rule.owner) == (kpi.id, Cadence(90 * DAY), "warning", None)
    assert (rule.review.due_in, rule.review.escalate_after) == (Due(0, 2, "office"), Due(0, 1, "office"))
    assert (rule.review.close, rule.review.question, rule.review.participants) == (
        "on_recovery",
        "Still right?",
        ("ops",),
    )
    assert rule.declared == {"cadence": {"every": "90d"}}
    assert rule.id not in {each.id for each in rules.rules}


def test_every_rule_that_is_on_is_watched_for_how_often_it_is_right(rule_set_of: Bind):
    others = "".join(f"---{RULE.replace('id: r', f'id: {mode}')}mode: {mode}\n" for mode in ("shadow", "off"))
    rules = rule_set_of(f"{RULE}owner: sales\n{others}")
    assert {name for name in rules.rule_by_id if name.startswith("precision:")} == {
        "precision:r",
        "precision:sessions-low",
    }
    rule = rules.rule_by_id["precision:r"]
    assert (rule.kpi, rule.condition, rule.severity) == ("support.tickets", Precision("r", 0.5), "info")
    assert (rule.owner, rules.rule_by_id["precision:sessions-low"].owner) == ("sales", None)
    assert (rule.review.due_in, rule.review.close) == (Due(micros=7 * DAY), "on_answer")
    assert rule.declared == {"precision": {"rule": "r", "below": 0.5}}


def test_a_composite_without_an_author_is_judged_by_the_owner_of_its_first_member(rule_set_of: Bind):
    composite = "kind: rule\nid: c\ntitle: t\ncondition: {composite: {any: [sessions-low, r]}}\n"
    assert rule_set_of(f"{RULE}---\n{composite}").rule_by_id["precision:c"].owner == "support"


def test_the_engines_own_rules_look_through_no_window(rule_set_of: Bind):
    rules = rule_set_of(f"{OFFICE}---{REVIEWED}")
    for name in ("cadence:shop.orders", "precision:sessions-low", "version:shop.orders"):
        excerpt = excerpt_of(rules, rules.rule_by_id[name], 0, 0)
        assert compile_plan(excerpt).rule_of == ()


def test_an_excerpt_finds_the_engines_own_rules(rule_set_of: Bind):
    rules = rule_set_of(f"{OFFICE}---{REVIEWED}")
    named = {"cadence:shop.orders": "shop.orders", "precision:sessions-low": "site.sessions"}
    for name, kpi in (*named.items(), ("version:shop.orders", "shop.orders")):
        excerpt = RuleSet.decode(excerpt_of(rules, rules.rule_by_id[name], 0, 0).encoded)
        assert excerpt.rule_by_id[name] == rules.rule_by_id[name]
        assert [each.id for each in excerpt.kpis] == [kpi]
        assert [each.id for each in excerpt.rules] == [name]


def test_an_excerpt_has_the_calendar_that_its_due_times_follow(rule_set_of: Bind):
    review = "review: {due_in: 390 business hours, calendar: office}\n"
    rules = rule_set_of(f"{OFFICE}---{RULE}{review}---{RULE.replace('id: r', 'id: s')}")
    start = from_datetime(utc("2029-12-27T16:00"))
    excerpt = excerpt_of(rules, rules.rule_by_id["r"], start, start)
    due = rules.rule_by_id["r"].review.due_in
    assert due is not None
    assert due_at(start, due, excerpt) == due_at(start, due, rules)
    assert excerpt.calendars[0].holidays == ("2030-12-25",)
    assert [each.start < start + DUE_WITHIN for each in excerpt.zones["America/New_York"]] == [True] * 3
    plain = excerpt_of(rules, rules.rule_by_id["s"], start, start)
    assert (plain.calendars, set(plain.zones)) == ((), {"UTC"})
