"""In CI a skipped test is a failed one; elsewhere it may be skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "by a mark": "@pytest.mark.skip(reason='because')\ndef test_it(): pass",
    "by itself": "def test_it(): pytest.skip('because')",
    "by a fixture": "@pytest.fixture\ndef gone(): pytest.skip('because')\ndef test_it(gone): pass",
    "with its module": "pytest.skip('because', allow_module_level=True)",
}


def run(root: Path, folder: Path, text: str, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(root / "conftest.py", folder)
    (folder / "test_skipping.py").write_text(f"import pytest\n{text}\ndef test_other(): pass\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder],
        cwd=folder,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("case", CASES)
def test_a_skip_fails_where_ci_is_set_and_says_why(case: str, root: Path, tmp_path: Path):
    done = run(root, tmp_path, CASES[case], ci="true")
    assert done.returncode != 0
    assert "skipped where CI is set" in done.stdout
    assert "because" in done.stdout


@pytest.mark.parametrize("case", CASES)
def test_a_skip_is_a_skip_elsewhere(case: str, root: Path, tmp_path: Path):
    done = run(root, tmp_path, CASES[case], ci="")
    assert "1 skipped" in done.stdout
    assert "failed" not in done.stdout


def test_an_expected_failure_is_no_skip(root: Path, tmp_path: Path):
    done = run(root, tmp_path, "@pytest.mark.xfail\ndef test_it(): assert False", ci="true")
    assert done.returncode == 0, done.stdout
