"""`no_data: firing` is a rule on silence beside the rule; what it has of it, and what is refused."""

from __future__ import annotations

import msgspec
import pytest
from draw_conditions import loaded, page_of
from errors_catalogue import CATALOGUE

from engine.model.time import HOUR, MINUTE
from engine.rules.loader import load_read
from engine.rules.resolved.condition import MissingData, Threshold
from engine.rules.source import read_text

MANY = (
    CATALOGUE.replace("cadence: 1h", "cadence: 2h")
    + """\
kind: rule
id: many
title: Many errors
kpi: errors
where: {host: a}
severity: critical
mode: shadow
owner: ops
inhibited_by: [other]
for: 3h
review: {due_in: 4h, question: Why?, renotify: 5}
"""
)
OTHER = """
---
kind: rule
id: other
title: Other
kpi: errors
condition: {threshold: {above: 99}}
"""


def rules_of(more: str):
    return load_read(read_text("rules.yaml", MANY + more + OTHER))


def test_it_has_all_of_the_rule_but_what_decides_its_verdicts():
    rules = rules_of("condition: {threshold: {above: 10}}\nno_data: firing").rule_set
    assert rules is not None
    rule, silence = rules.rule_by_id["many"], rules.rule_by_id["many.no_data"]
    assert isinstance(rule.condition, Threshold)
    assert silence.condition == MissingData(2 * HOUR)
    same = ("kpi", "where", "severity", "mode", "owner", "inhibited_by")
    assert [getattr(rule, name) for name in same] == [getattr(silence, name) for name in same]
    assert silence.review == msgspec.structs.replace(rule.review, renotify=None)
    assert (silence.title, silence.for_) == ("Many errors (no data)", 0)


def test_it_says_nothing_of_the_rule_itself():
    with_it = rules_of("condition: {threshold: {above: 10}}\nno_data: {then: firing, after: 5h}").rule_set
    kept = rules_of("condition: {threshold: {above: 10}}\nno_data: keep").rule_set
    without = rules_of("condition: {threshold: {above: 10}}").rule_set
    assert with_it is not None
    assert kept is not None
    assert without is not None
    assert kept.hash == without.hash
    assert with_it.rule_by_id["many"] == without.rule_by_id["many"]
    assert with_it.rule_by_id["many.no_data"].condition == MissingData(5 * HOUR)


def test_beside_critical_there_is_one_for_both():
    more = "condition: {threshold: {above: 10}}\ncritical: {threshold: {above: 20}}\nno_data: firing"
    rules = load_read(read_text("rules.yaml", MANY.replace("severity: critical", "") + more + OTHER)).rule_set
    assert rules is not None
    assert [rule.id for rule in rules.rules] == ["many", "many.critical", "many.no_data", "other"]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ("condition: {threshold: {above: 10}}\nno_data: no_data", "no-data", "keep, firing or ok"),
        ("condition: {threshold: {above: 10}}\nno_data: {after: 3h}", "no-data", "keep, firing or ok"),
        (
            "condition: {threshold: {above: 10}}\nno_data: {then: keep, after: 3h}",
            "no-data",
            "no `after` beside `keep`",
        ),
        ("condition: {missing_data: {}}\nno_data: firing", "no-data", "a rule on single series"),
        ("condition: {missing_data: {}}\nno_data: ok", "no-data", "`no_data: ok` of a rule on single series"),
    ],
)
def test_what_cannot_be_had_is_refused_where_it_stands(more: str, code: str, said: str):
    found = [each for each in rules_of(more).problems if each.code == code]
    assert [said in each.expected for each in found] == [True], found
    assert found[0].line == MANY.count("\n") + 2


@pytest.mark.parametrize("then", ["firing", "ok"])
def test_silence_that_cannot_be_seen_is_refused_in_the_place_of_the_rule(then: str):
    text = MANY.replace("cadence: 2h\n", "") + f"condition: {{threshold: {{above: 10}}}}\nno_data: {then}" + OTHER
    [problem] = [each for each in load_read(read_text("rules.yaml", text)).problems if each.severity == "error"]
    assert problem.code == "no-cadence"


def test_the_page_has_both_rules():
    rules = loaded(page_of("no_data")).rule_set
    assert rules is not None
    assert [rule.id for rule in rules.rules] == ["frost", "too-warm", "too-warm.no_data"]
    assert rules.rule_by_id["frost"].ends_after == 3 * HOUR
    assert rules.rule_by_id["too-warm"].ends_after is msgspec.UNSET


def test_ok_ends_alerts_after_the_cadence_and_the_lateness_and_not_before_windows_close():
    def ends_after(more: str) -> object:
        rules = rules_of(f"condition: {{threshold: {{above: 10}}}}\n{more}").rule_set
        assert rules is not None
        assert "many.no_data" not in rules.rule_by_id
        return rules.rule_by_id["many"].ends_after

    assert ends_after("no_data: ok\nlateness: 10m\nidle: 10m") == 2 * HOUR + 10 * MINUTE
    assert ends_after("no_data: {then: ok, after: 1h}\nidle: 3h") == 3 * HOUR
    assert ends_after("no_data: {then: ok, after: 1m}\nidle: 3h\npoints: raw") == MINUTE
    assert ends_after("no_data: keep") is msgspec.UNSET


def test_whether_silence_ends_alerts_decides_verdicts():
    prints = set()
    for more in ("keep", "ok", "{then: ok, after: 5h}"):
        rules = rules_of(f"condition: {{threshold: {{above: 10}}}}\nno_data: {more}").rule_set
        assert rules is not None
        prints.add(rules.rule_by_id["many"].fingerprint)
    assert len(prints) == 3


def test_beside_critical_silence_ends_both():
    more = "condition: {threshold: {above: 10}}\ncritical: {threshold: {above: 20}}\nno_data: ok"
    rules = load_read(read_text("rules.yaml", MANY.replace("severity: critical", "") + more + OTHER)).rule_set
    assert rules is not None
    assert [rules.rule_by_id[name].ends_after for name in ("many", "many.critical")] == [2 * HOUR, 2 * HOUR]
