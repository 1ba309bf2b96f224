from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.cli.test_report import failure_lines
from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.rules.spec import KINDS, RuleSpec
from engine.rules.spec.conditions import ConditionSpec
from engine.rules.spec.rule import ReviewFields

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = "\n---\n".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))


def test_the_examples_of_the_page_are_one_sound_rule_set():
    loaded = load_read(read_text("docs/rules.md", EXAMPLES))
    assert loaded.problems == ()
    assert loaded.declared == (2, 11, 1, 1, 3)


def test_the_rule_tests_of_the_page_pass():
    loaded = load_read(read_text("docs/rules.md", EXAMPLES))
    assert loaded.rule_set is not None
    for test in loaded.tests:
        verdict = run_test(test, loaded.rule_set)
        assert verdict.passed, list(failure_lines(verdict))


def test_the_page_names_every_field():
    for kind, model in KINDS.items():
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in PAGE or name == "kind", f"{name} of {kind}"


def pages_that_are_linked_beside(name: str) -> list[str]:
    """The text of each page that a row of a table links for this field."""
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    links = [link for row in rows if f"`{name}`" in row[1] for link in re.findall(r"\(rules/(\w+\.md)", row[3])]
    return [(ROOT / "docs" / "rules" / link).read_text("utf-8") for link in links]


@pytest.mark.parametrize("model", [RuleSpec, ReviewFields])
def test_every_field_of_a_rule_and_of_its_review_is_linked_to_a_page_that_names_it(model: type[BaseModel]):
    for name, field in model.model_fields.items():
        written = field.alias or name
        pages = pages_that_are_linked_beside(written)
        assert written == "kind" or any(re.search(rf"`{written}[`:]", page) for page in pages), written


def test_every_condition_is_linked_to_its_page():
    for name in ConditionSpec.model_fields:
        assert f"(rules/{name}.md" in PAGE, name


def test_the_page_lists_every_code_that_the_golden_cases_show():
    shown = set()
    for case in (ROOT / "tests" / "golden" / "cases").glob("*.txt"):
        shown.update(re.findall(r" \[([a-z-]+)\]$", case.read_text("utf-8").split("-- expected --")[1], re.MULTILINE))
    listed = set(re.findall(r"`([a-z-]+)`", PAGE[PAGE.index("## Problems and their codes") :]))
    assert shown - listed == set()
