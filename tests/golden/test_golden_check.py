from __future__ import annotations

import re
from typing import TYPE_CHECKING

from golden_case import CASES, Case
from typer.testing import CliRunner

from engine.cli.main import app
from engine.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _run(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    case.lay_out(folder)
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, case.arguments)
    refused = f"{result.exception}\n" if isinstance(result.exception, EngineError) else ""  # as `main` prints it
    return re.sub(r"in \d+\.\d\d s", "in N s", result.output) + refused + f"exit status {result.exit_code}\n"


def test_the_command_says_exactly_this(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, update_golden: bool
):
    output = _run(case, tmp_path, monkeypatch)
    if update_golden:
        case.update(output)
        return
    assert output == case.expected


def test_every_planted_error_is_reported_on_its_line_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    case = Case.read(CASES / "a_file_of_fifty_errors.txt")
    planted = {
        (name, number, mark[1])
        for name, text in case.files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (mark := re.search(r"# error: (\S+)$", line))
    }
    found = re.findall(r"^(\S+?):(\d+):\d+: .*\[(\S+)\]$", _run(case, tmp_path, monkeypatch), re.MULTILINE)
    assert len(planted) >= 50
    assert {(name, int(line), code) for name, line, code in found} == planted
