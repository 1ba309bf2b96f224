"""A KPI of another version is another measure: what was learned is forgotten, and the objective's owner hears of it."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import msgspec
import pytest
from governed_world import BEGIN
from versioned_world import CATALOGUE, RULES, Days, of_rule, opened, rules_of

from engine.model.records import ReviewCommand
from engine.model.time import DAY, format_time
from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.rules.loader import load_read
from engine.rules.source import read_text

SECOND = ("version: 1", "version: 2")
REDEFINED = ("definition: Visits of a shop", "definition: Visits of a shop, robots left out")
NOTICE = "version:visits"
MORE = {
    "high": "threshold: {above: 150}",
    "silent": "missing_data: {after: 2d}",
    "forgotten": "governance: {set_and_forget: {after: 400d}}",
    "posts": "governance: {moved_goalposts: {}}",
}


def shifted(*edits: tuple[str, str]) -> Days:
    """Sixty days, an edit of the catalogue, and forty days of twice as much of everything."""
    log = Days(rules_of(RULES)).days(60, visits=100.0, tickets=10.0)
    return log.activate(rules_of(RULES, *edits)).days(40, visits=200.0, tickets=20.0)


@cache
def versioned() -> list[bytes]:
    return shifted(SECOND, REDEFINED).triggers()


def test_a_shift_that_comes_with_another_version_is_none():
    assert opened(versioned()) == {NOTICE: 1}


def test_the_same_shift_without_another_version_is_told_by_every_rule():
    assert opened(shifted(REDEFINED).triggers()) == dict.fromkeys(RULES, 3)


def test_a_break_after_another_version_was_learned_is_told_again():
    log = shifted(SECOND).days(40, visits=300.0, tickets=30.0)
    assert opened(log.triggers()) == dict.fromkeys(RULES, 3) | {NOTICE: 1}


def test_the_notice_goes_to_the_objectives_owner_and_the_kpis_owner_takes_part():
    event = of_rule(versioned(), NOTICE)[0]
    data = event["data"]
    assert (data["owner"], data["participants"], data["notify"]) == ("board", ["web"], ["board", "web"])
    assert (data["severity"], data["event_time"]) == ("info", format_time(BEGIN + 60 * DAY + DAY // 4))
    assert data["due"] == format_time(BEGIN + 67 * DAY + DAY // 4)
    assert data["explanation"] == (
        "A new version of Visits: version 1 became 2, and the definition "
        "(Visits of a shop to Visits of a shop, robots left out) was changed; nothing fired on it."
    )
    found = data["evidence"]["found"]
    assert (found["before"], found["after"], found["count"], found["ended"]) == ("1", "2", 0, 0)


@pytest.mark.parametrize(("partitions", "findings"), [(1, 1), (2, 3), (3, 2)])
def test_there_is_one_notice_however_many_partitions_there_are_and_wherever_a_worker_dies(
    partitions: int, findings: int
):
    assert shifted(SECOND, REDEFINED).triggers(partitions, findings, dies=True) == versioned()


@cache
def alarmed() -> Days:
    """Everything is on when the version changes, on the second day of a doubled level."""
    conditions = {**RULES, **MORE}
    log = Days(rules_of(conditions)).days(60, visits=100.0, tickets=10.0).days(2, visits=200.0, tickets=20.0)
    return log.activate(rules_of(conditions, SECOND)).days(5, visits=200.0).days(5, visits=100.0)


def test_what_was_learned_is_withdrawn_and_what_was_not_goes_on_until_the_new_numbers_end_it():
    said = [
        (each["transition"], each["status"], each["cause"], each["event_time"][:10])
        for each in alarmed().findings()
        if each["rule"] in ("high", "changed") and each["dimensions"]["shop"] == "a"
    ]
    # The 61st and 62nd day are high; the window of the 62nd is open when the version changes, and is nobody's.
    assert said == [
        ("firing", "new", None, "2026-03-03"),
        ("firing", "new", None, "2026-03-03"),
        ("firing", "withdrawn", "its KPI has a new version", "2026-03-03"),
        ("resolved", "new", None, "2026-03-10"),
    ]


def test_the_notice_lists_what_was_firing_those_that_ended_first():
    data = of_rule(alarmed().triggers(2, 2), NOTICE)[0]["data"]
    found = data["evidence"]["found"]
    listed = [(each["rule"], each["series"]) for each in found["firing"]]
    ended = [(rule, f'visits{{"shop":"{shop}"}}') for rule in ("changed", "charted", "unusual") for shop in "abc"]
    assert listed == [*ended, *(("high", f'visits{{"shop":"{shop}"}}') for shop in "abc")]
    assert (found["count"], found["ended"]) == (12, 9)
    assert data["explanation"].endswith("of 12 alerts on it 9 were withdrawn, 3 go on.")


def test_a_conflict_that_was_on_is_withdrawn_and_says_why():
    events = of_rule(alarmed().triggers(), "paid")
    assert [(each["type"].split(".")[2], each["data"]["cause"]) for each in events] == [
        *[("opened", None)] * 3,
        *[("withdrawn", "its KPI has a new version")] * 3,
    ]
    assert {each["data"]["explanation"] for each in events[3:]} == {
        f"Of visits of {{shop {shop}}}: the alert is withdrawn (its KPI has a new version)." for shop in "abc"
    }


def test_silence_goes_on_whatever_the_version():
    series = ("version: 1", "series: [{shop: a}, {shop: b}, {shop: c}]\nversion: 1")
    log = Days(rules_of(MORE, series)).days(5, visits=100.0).days(4).activate(rules_of(MORE, series, SECOND)).days(1)
    log.days(3, visits=100.0)
    events = of_rule(log.triggers(), "silent")
    assert [each["type"].split(".")[2] for each in events] == ["opened", "resolved"], "one of the silent source"


def test_each_version_is_a_notice_of_its_own_also_before_the_last_was_answered():
    first, second, third = (rules_of(MORE, ("version: 1", f"version: {name}")) for name in ("1", "2", '"2026-03"'))
    log = Days(first).days(2, visits=100.0)
    log.activate(second).days(2, visits=100.0).activate(third).days(2, visits=100.0).activate(first).activate(second)
    events = of_rule(log.days(2, visits=100.0).triggers(), NOTICE)
    found = [each["data"]["evidence"]["found"] for each in events]
    assert [(each["before"], each["after"]) for each in found] == [
        ("1", "2"),
        ("2", "2026-03"),
        ("2026-03", "1"),
        ("1", "2"),
    ]
    assert len({each["data"]["review"] for each in events}) == 4


def test_an_answer_closes_it():
    review = of_rule(versioned(), NOTICE)[0]["data"]["review"]
    command = ReviewCommand("c", review, "resolve", "ann", "2026-04-20T00:00:00Z", answer="Robots", verdict="expected")
    last = of_rule(shifted(SECOND, REDEFINED).triggers(commands=[command]), NOTICE)[-1]
    assert (last["type"].split(".")[2], last["data"]["state"]) == ("resolved", "resolved")


def test_a_kpi_that_comes_or_goes_with_a_version_is_no_change_of_it():
    without = rules_of({}, *((CATALOGUE[CATALOGUE.index("---\nkind: kpi\nid: tickets") :], ""), COUNTERPARTS))
    log = Days(without).days(1, visits=100.0).activate(rules_of({}, ("target: none", "target: none\nversion: 3")))
    assert opened(log.days(1, visits=100.0).activate(without).days(1, visits=100.0).triggers()) == {}


COUNTERPARTS = ("counterparts: [{kpi: tickets, minimum_effect: 5%}]\n", "")


def test_the_notice_can_be_recomputed_and_no_part_of_it_can_be_changed():
    event = of_rule(alarmed().triggers(), NOTICE)[0]
    assert explain(given(event)).evidence == "consistent", explain(given(event)).failures
    changes: list[tuple[str, Any]] = [("before", "2"), ("after", "3"), ("count", 3), ("ended", 99)]
    for name, value in changes:
        other = copy.deepcopy(event)
        other["data"]["evidence"]["found"][name] = value
        assert explain(given(other)).evidence == "not consistent", name


LEARNS = {
    **RULES,
    "ahead": "off_track: {}",
    "waits": "threshold: {above: 150}}\nwarm_up: 3\n#",
    "counts": "threshold: {above: 150}}\nat_least: {m: 2, of: 3}\n#",
    "easy": "governance: {always_green: {windows: 8}}",
    "vain": "governance: {vanity: {windows: 24, outcome: tickets}}",
}


@pytest.mark.parametrize(("conditions", "learns"), [(LEARNS, True), (MORE, False)])
def test_which_rules_begin_anew(conditions: dict[str, str], learns: bool):  # noqa: FBT001 - a column of the table
    before, after = (rules_of(conditions, ("version: 1", f"version: {each}")) for each in (1, 2))
    for rule in before.rules:
        assert (rule.fingerprint != after.rule_by_id[rule.id].fingerprint) == learns, rule.id


def test_the_version_of_a_counterpart_counts_as_that_of_the_kpi():
    before, after = rules_of(LEARNS), rules_of(LEARNS, ("target: none", "target: none\nversion: 2"))
    changed = {each.id for each in before.rules if each.fingerprint != after.rule_by_id[each.id].fingerprint}
    assert changed == {"paid", "vain"}


def test_a_composite_rests_on_its_members():
    more = "---\nkind: rule\nid: all\ntitle: t\nowner: web\ncondition: {composite: {all: [broken, high]}}\n"
    conditions = {"broken": RULES["broken"], "high": MORE["high"]}
    composed = ("target: none\n", f"target: none\n{more}")
    before, after = rules_of(conditions, composed), rules_of(conditions, composed, SECOND)
    assert before.rule_by_id["all"].fingerprint != after.rule_by_id["all"].fingerprint


def test_the_first_version_need_not_be_written():
    unwritten = rules_of(RULES, ("version: 1\n", ""))
    assert unwritten.hash == rules_of(RULES).hash == rules_of(RULES, ("version: 1", 'version: "1"')).hash


@pytest.mark.parametrize("written", ["1.5", "-1", '""', "true", "[2]", "null", '" 2"', '"' + 41 * "x" + '"'])
def test_what_is_no_version(written: str):
    loaded = load_read(read_text("all.yaml", CATALOGUE.replace("version: 1", f"version: {written}")))
    problem = next(each for each in loaded.problems if each.code == "version")
    assert "expected a whole number like 2, or a text" in str(problem)
    assert str(problem).startswith("all.yaml:27:10: ")


def test_a_version_is_told_of_in_the_excerpt_of_a_trigger():
    event = of_rule(versioned(), NOTICE)[0]
    assert [each.get("version") for each in event["data"]["excerpt"]["kpis"]] == ["2"]
    assert msgspec.json.decode(versioned()[0])["specversion"] == "1.0"
