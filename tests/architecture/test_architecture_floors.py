"""The floors hold, and the contracts that say so notice when one does not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

LINT_IMPORTS = Path(sysconfig.get_path("scripts")) / "lint-imports"

PLANTED = {
    "upwards": ("engine/model/planted.py", "import engine.rules.ruleset"),
    "sideways": ("engine/wire/planted.py", "import engine.kernels"),
    "a clock in the centre": ("engine/evaluate/planted.py", "import time"),
    "Faust in the rules": ("engine/rules/planted.py", "import faust"),
    "Faust in the runtime": ("engine/runtime/planted.py", "import faust"),
    "the environment in the state": ("engine/state/planted.py", "import os"),
    "metrics in the reviews": ("engine/review/planted.py", "import prometheus_client"),
    "numba outside the kernels": ("engine/evaluate/planted.py", "import numba"),
    "the client in the rules": ("engine/client/planted.py", "import engine.rules.ruleset"),
    "aiokafka in the simulator": ("engine/simulate/planted.py", "import aiokafka"),
    "a package without a floor": ("engine/planted/__init__.py", '"""Nowhere."""'),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine and its contracts in a place where they may be broken."""
    folder = tmp_path_factory.mktemp("floors")
    shutil.copytree(root / "engine", folder / "engine", ignore=shutil.ignore_patterns("__pycache__", "packs"))
    shutil.copy(root / "pyproject.toml", folder)
    return folder


def test_imports_point_down_and_the_centre_is_pure(root: Path):
    done = lint(root)
    assert done.returncode == 0, done.stdout


@pytest.mark.xdist_group("floors")
@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_violation_is_found(case: str, copy: Path):
    name, text = PLANTED[case]
    file = copy / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{text}\n")
    try:
        done = lint(copy)
    finally:
        file.unlink()
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
    assert done.returncode == 1, done.stdout
    assert "planted" in done.stdout


def test_contracts_that_list_their_packages_list_all_of_them(contracts: list[dict[str, Any]], floors: set[str]):
    by_name = {contract["name"]: contract for contract in contracts}
    listed = {part for layer in contracts[0]["layers"] for part in re.findall(r"[a-z_]+", layer)}
    assert floors <= listed
    numba = {name.removeprefix("engine.") for name in by_name["Only kernels import numba"]["source_modules"]}
    assert numba == (floors | {"errors"}) - {"kernels"}
    client = by_name["The client needs the wire, the model and the errors, nothing else"]["forbidden_modules"]
    below = {"runtime", "telemetry", "review", "correlate", "notify", "evaluate", "state", "rules", "kernels"}
    assert {f"engine.{name}" for name in below} <= set(client)


def test_the_pure_contract_begins_below_telemetry(contracts: list[dict[str, Any]]):
    layers: list[str] = contracts[0]["layers"]
    below = {part for layer in layers[layers.index("telemetry") + 1 :] for part in re.findall(r"[a-z_]+", layer)}
    assert set(contracts[1]["source_modules"]) == {f"engine.{name}" for name in below}
