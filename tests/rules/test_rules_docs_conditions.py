"""Every page on a condition or a field of rules: its examples, its rule test, its fields, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from draw_conditions import (
    APART,
    CONDITIONS,
    DRAWN,
    FIELDS,
    FOLDER,
    draw_condition,
    draw_section,
    loaded,
    names_of,
    page_of,
    triggers_of,
)

from engine.offline.explain.explanation import explain
from engine.offline.explain.given import given
from engine.offline.reached import DOWN, FIRES, RECOVERS, SILENT, UP, branches_of
from engine.offline.rule_tests import run_test
from engine.rules.run_rules import RUN_RULES, SETS
from engine.rules.spec.conditions import ConditionSpec
from engine.rules.spec.control import CusumSpec, EwmaSpec
from engine.rules.spec.governance import GovernanceSpec

if TYPE_CHECKING:
    from pathlib import Path

each_page = pytest.mark.parametrize("condition", DRAWN)


def test_every_condition_has_a_page():
    assert set(CONDITIONS) == set(ConditionSpec.model_fields)


def test_every_field_that_decides_what_a_rule_sees_and_when_it_fires_has_a_page():
    assert set(FIELDS) == {
        "rule",
        "where",
        "critical",
        "for",
        "at_least",
        "warm_up",
        "grace",
        "template",
        "aggregation",
        "formula",
        "window",
        "maintenance",
        "no_data",
        "limit",
    }


@each_page
def test_its_examples_are_sound_and_every_rule_of_them_is_seen_to_fire_to_recover_and_to_keep_quiet(condition: str):
    found = loaded(page_of(condition))
    assert {problem.code for problem in found.problems} <= {"unjudged"}
    assert found.rule_set is not None
    assert found.tests
    for test in found.tests:
        assert run_test(test, found.rule_set).differences == ()
    for rule in found.rule_set.rules:
        expected = [each for test in found.tests for each in test.expect if each.rule == rule.id]
        assert any(firing.to for each in expected for firing in each.firing)
        assert any(not each.firing for each in expected)


@each_page
def test_every_trigger_of_its_example_is_recomputed_from_its_evidence(condition: str):
    found = loaded(page_of(condition))
    assert found.rule_set is not None
    triggers = triggers_of(found.tests[0], found.rule_set)
    assert triggers
    for event in triggers:
        assert explain(given(event)).failures == (), event["data"]["explanation"]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_it_names_every_field(condition: str):
    [model] = [each for each in get_args(ConditionSpec.model_fields[condition].annotation) if each is not type(None)]
    text = page_of(condition).read_text("utf-8")
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in text, name


def test_the_page_on_governance_names_what_lies_within_its_fields():
    text = page_of("governance").read_text("utf-8")
    for name, field in GovernanceSpec.model_fields.items():
        [model] = [each for each in get_args(field.annotation) if each is not type(None)]
        section = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        assert section
        for within in model.model_fields:
            assert f"`{within}`" in section, (name, within)


def test_the_page_on_control_charts_names_what_lies_within_its_fields():
    text = page_of("control_chart").read_text("utf-8")
    fields = [info.alias or name for spec in (EwmaSpec, CusumSpec) for name, info in spec.model_fields.items()]
    for name in (*fields, *RUN_RULES, *SETS):
        assert f"`{name}`" in text or f"`{name}:" in text, name


@each_page
def test_its_pictures_are_drawn_from_its_example(condition: str, tmp_path: Path):
    draw_condition(condition, tmp_path)
    text = page_of(condition).read_text("utf-8")
    for name in names_of(condition):
        assert (tmp_path / name).is_file()
        assert (FOLDER / name).is_file()
        assert f"]({name})" in text


@pytest.mark.parametrize("section", APART)
def test_a_section_has_pictures_of_its_own_rule(section: str, tmp_path: Path):
    draw_section(section, tmp_path)
    text = page_of(APART[section][0]).read_text("utf-8")
    for name in names_of(section):
        assert (tmp_path / name).is_file()
        assert (FOLDER / name).is_file()
        assert f"]({name})" in text


def test_the_example_of_a_reconciliation_says_on_which_side_of_the_record_it_was_tested():
    found = loaded(page_of("reconciliation"))
    assert found.rule_set is not None
    reached = run_test(found.tests[0], found.rule_set).reached
    assert {each.branch for each in reached} == {DOWN, RECOVERS, SILENT, FIRES}
    assert branches_of(found.rule_set.rule_by_id["sales-not-in-the-books"]) == (UP, DOWN, RECOVERS, SILENT)
