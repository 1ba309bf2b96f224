from __future__ import annotations

from typing import TYPE_CHECKING

from draw_control_chart import EXAMPLES, PAGE, main

from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.run_rules import RUN_RULES, SETS
from engine.rules.source import read_text
from engine.rules.spec.control import ControlChartSpec, CusumSpec, EwmaSpec

if TYPE_CHECKING:
    from pathlib import Path

LOADED = load_read(read_text("docs/rules/control_chart.md", EXAMPLES))


def test_the_examples_of_the_page_are_sound():
    assert [problem.code for problem in LOADED.problems] == ["unjudged"]


def test_the_rule_test_of_the_page_passes_with_a_firing_a_silent_and_a_recovering_case_of_each_rule():
    assert LOADED.rule_set is not None
    [test] = LOADED.tests
    assert run_test(test, LOADED.rule_set).differences == ()
    for rule in LOADED.rule_set.rules:
        expected = [each for each in test.expect if each.rule == rule.id]
        assert any(firing.to for each in expected for firing in each.firing)
        assert any(not each.firing for each in expected)


def test_the_page_names_every_field_and_every_run_rule():
    text = PAGE.read_text("utf-8")
    fields = [
        (info.alias or name)
        for spec in (ControlChartSpec, EwmaSpec, CusumSpec)
        for name, info in spec.model_fields.items()
    ]
    for name in (*fields, *RUN_RULES, *SETS):
        assert f"`{name}`" in text or f"`{name}:" in text, name


def test_its_pictures_are_drawn_from_its_example(tmp_path: Path):
    main(tmp_path)
    drawn = {file.name for file in tmp_path.iterdir()}
    assert drawn == {file.name for file in PAGE.parent.glob("control-chart-*.svg")}
    assert all(f"({name})" in PAGE.read_text("utf-8") for name in drawn)
