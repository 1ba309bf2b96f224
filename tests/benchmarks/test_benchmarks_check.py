"""What bench_check.py measures is what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_check import RULE, main, seconds_of, write_rules

from engine.rules.loader import load


def test_rules_have_sixteen_lines_and_are_sound(tmp_path: Path):
    file = write_rules(tmp_path, 30)
    assert len(RULE.splitlines()) == 16
    assert load([file]).declared.rule == 31


def test_both_are_measured(capsys: pytest.CaptureFixture[str]):
    main(["--rules", "50", "--runs", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"\d+\.\d+", "N", line) for line in lines] == [
        "50 rules: N s (N to N)",
        "the shipped packs: N s (N to N)",
    ]


def test_rules_with_mistakes_are_not_measured(tmp_path: Path):
    (tmp_path / "wrong.yaml").write_text("kind: rule\n", "utf-8")
    with pytest.raises(RuntimeError, match=r"wrong\.yaml:1:1"):
        seconds_of([tmp_path], 1)
