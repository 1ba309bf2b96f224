from __future__ import annotations

import re
from pathlib import Path

from engine.cli.test_report import failure_lines
from engine.offline.rule_tests import run_test
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.rules.spec import KINDS

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


def test_the_page_lists_every_code_that_the_golden_cases_show():
    shown = set()
    for case in (ROOT / "tests" / "golden" / "cases").glob("*.txt"):
        shown.update(re.findall(r" \[([a-z-]+)\]$", case.read_text("utf-8").split("-- expected --")[1], re.MULTILINE))
    listed = set(re.findall(r"`([a-z-]+)`", PAGE[PAGE.index("## Problems and their codes") :]))
    assert shown - listed == set()
