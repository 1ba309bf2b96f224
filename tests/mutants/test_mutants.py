"""The simulator is worth something if it finds what is broken on purpose: each patch here must be found.

A patch begins with `subject: toy` or `subject: stages`, then what it breaks, then the diff.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATCHES = sorted(HERE.glob("*.patch"))
SEEDS = {"toy": 300, "stages": 250}
FOUND = 3


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package for all patches; no patch is in a kernel, and these take minutes to compile anew."""
    place = tmp_path_factory.mktemp("mutants")
    shutil.copytree(ROOT / "engine", place / "engine", ignore=shutil.ignore_patterns("__pycache__", "kernels"))
    return place


@pytest.fixture
def patched(copy: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    apply(copy, request.param)
    yield copy
    apply(copy, request.param, "--reverse")


def apply(copy: Path, patch: Path, *how: str) -> None:
    subprocess.run(["git", "apply", "-p1", *how, str(patch)], cwd=copy, check=True)


def subject_of(patch: Path) -> str:
    return patch.read_text().partition("\n")[0].removeprefix("subject: ")


def hunt(copy: Path, subject: str, seeds: int) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(copy), str(ROOT / "tests" / "simulate"))),
        "PYTHONDONTWRITEBYTECODE": "1",  # a patch may keep a file's size and second
    }
    command = [sys.executable, str(HERE / "hunt.py"), subject, str(seeds), str(ROOT / "engine")]
    return subprocess.run(command, cwd=copy, env=environment, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("patched", PATCHES, indirect=True, ids=lambda patch: patch.stem)
def test_the_simulator_finds(patched: Path, request: pytest.FixtureRequest) -> None:
    subject = subject_of(request.node.callspec.params["patched"])
    result = hunt(patched, subject, SEEDS[subject])
    assert result.returncode == FOUND, result.stdout + result.stderr


@pytest.mark.parametrize("subject", sorted({subject_of(patch) for patch in PATCHES}))
def test_the_simulator_finds_nothing_where_nothing_is_broken(copy: Path, subject: str) -> None:
    result = hunt(copy, subject, 20)
    assert result.returncode == 0, result.stdout + result.stderr
