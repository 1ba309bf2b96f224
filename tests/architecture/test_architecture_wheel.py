"""The wheel is what users get: built, installed into an environment of its own, and run from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("wheel")

SHIPPED = ("pyproject.toml", "README.md", "LICENSE")


class Installed(NamedTuple):
    """An environment that has the wheel, and the folder that commands run in."""

    bin: Path
    folder: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("COUNTERPOINT_", "PYTHON"))
        }
        return subprocess.run(
            [self.bin / arguments[0], *arguments[1:]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing left over in the checkout gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SHIPPED:
        shutil.copy(root / name, folder)
    for name in ("engine", "rules"):
        shutil.copytree(root / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a fresh environment that borrows the dependencies, but not the engine, of the one that tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    binaries = folder / "venv" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python")]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return Installed(binaries, folder)


def test_the_wheel_holds_the_engine_its_packs_and_its_licence_and_nothing_else(wheel: Path, root: Path):
    names = zipfile.ZipFile(wheel).namelist()
    packs = {f"engine/packs/{file.relative_to(root / 'rules')}" for file in (root / "rules").rglob("*.yaml")}
    assert packs
    assert packs <= set(names)
    modules = {str(file.relative_to(root)) for file in (root / "engine").rglob("*.py")}
    assert modules <= set(names)
    assert "engine/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert [name for name in names if not name.startswith(("engine/", "counterpoint_kpi-"))] == []
    assert [name for name in names if "__pycache__" in name] == []


def test_the_installed_engine_is_the_wheel_and_not_the_checkout(installed: Installed):
    done = installed.run("python", "-c", "import engine; print(engine.__file__)")
    assert done.stdout.startswith(str(installed.folder)), done.stderr


def test_the_installed_command_explains_itself(installed: Installed):
    done = installed.run("counterpoint", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "counterpoint demo" in done.stdout


@pytest.mark.parametrize("pack", ["flights", "phantom-growth"])
def test_the_installed_command_checks_a_shipped_pack(installed: Installed, pack: str):
    find = f"from engine.cli.packs import shipped_pack; print(shipped_pack({pack!r}))"
    folder = installed.run("python", "-c", find).stdout.strip()
    assert folder.startswith(str(installed.folder))
    done = installed.run("counterpoint", "check", folder)
    assert done.returncode == 0, done.stdout + done.stderr
