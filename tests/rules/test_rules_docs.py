from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.rules.spec import KINDS
from engine.rules.spec.conditions import ConditionSpec

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
PAGES = [page for page in sorted((ROOT / "docs" / "rules").glob("*.md")) if page.stem in ConditionSpec.model_fields]


def test_the_examples_of_the_page_are_one_sound_rule_set():
    loaded = load_read(read_text("docs/rules.md", EXAMPLES))
    assert loaded.problems == ()
    assert loaded.declared == (2, 10, 1, 1, 1)


def test_the_rule_test_of_the_page_passes():
    loaded = load_read(read_text("docs/rules.md", EXAMPLES))
    assert loaded.rule_set is not None
    [test] = loaded.tests
    assert run_test(test, loaded.rule_set).differences == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_on_one_condition_are_sound_and_their_rule_tests_pass(page: Path):
    examples = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
    loaded = load_read(read_text(page.name, examples))
    assert {problem.code for problem in loaded.problems} <= {"unjudged"}
    assert loaded.rule_set is not None
    assert loaded.tests
    for test in loaded.tests:
        assert run_test(test, loaded.rule_set).differences == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_on_one_condition_names_every_field_of_it(page: Path):
    [model] = [
        each
        for name, field in ConditionSpec.model_fields.items()
        if name == page.stem
        for each in get_args(field.annotation)
        if each is not type(None)
    ]
    for name in model.model_fields:
        assert f"`{name}`" in page.read_text("utf-8")


def test_the_page_names_every_field():
    for kind, model in KINDS.items():
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in PAGE or name == "kind", f"{name} of {kind}"


def test_the_page_lists_every_code_that_the_golden_cases_show():
    shown = set()
    for case in (ROOT / "tests" / "golden" / "cases").glob("*.txt"):
        shown.update(re.findall(r" \[([a-z-]+)\]$", case.read_text("utf-8").split("-- expected --")[1], re.MULTILINE))
    listed = set(re.findall(r"`([a-z-]+)`", PAGE[PAGE.index("## Problems and their codes") :]))
    assert shown - listed == set()
