"""The root of the command line: run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from engine.cli.commands import COMMANDS, CommandEntry
from engine.cli.main import main
from engine.cli.packs import PACKS, shipped_pack
from engine.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("faust", "aiokafka", "numba", "numpy", "pandas", "pydantic", "confluent_kafka")


def run(*arguments: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERPOINT_")}
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=variables | environment,
    )


def test_help_lists_every_command_with_its_whole_summary():
    done = run("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for entry in COMMANDS:
        assert f"  {entry.name} " in done.stdout
        assert entry.summary in done.stdout
    assert "counterpoint demo" in done.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from engine.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded: []\n")


def test_version_is_shown(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("counterpoint ")


@pytest.mark.parametrize("arguments", [[], ["chek"], ["config", "--no-such-option"], ["config", "--format", "xml"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.strip()


def test_a_misspelt_command_is_answered_with_the_right_one(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["chek"])
    assert "Did you mean 'check'?" in capsys.readouterr().err


def test_an_engine_error_is_one_message_without_a_traceback_and_exits_1():
    done = run("config", "--set", "prefix=")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("flag prefix: prefix: ")
    assert "Traceback" not in done.stderr


def test_output_that_is_no_terminal_has_no_colours():
    assert "\x1b[" not in run("config").stdout


def leaves() -> list[tuple[str, CommandEntry]]:
    """Every command that runs something, with the group that it is in."""
    groups = [(entry.name, within) for entry in COMMANDS for within in entry.commands]
    return [*(("", entry) for entry in COMMANDS if not entry.commands), *groups]


@pytest.mark.parametrize(("group", "entry"), leaves(), ids=lambda value: getattr(value, "name", value))
def test_every_command_explains_itself_and_ends_with_examples(
    group: str, entry: CommandEntry, capsys: pytest.CaptureFixture[str]
):
    words = [*filter(None, (group, entry.name))]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    module, function = entry.place(group)
    assert import_module(module).__doc__
    assert getattr(import_module(module), function).__doc__
    assert shown.index("Options:") < shown.index("Examples:")
    for example in entry.examples:
        assert f"  {example}\n" in shown
        assert example.startswith(" ".join(("counterpoint", *words)))


@pytest.mark.parametrize("entry", [entry for entry in COMMANDS if entry.commands], ids=lambda entry: entry.name)
def test_a_group_lists_its_commands_and_imports_none_of_them(entry: CommandEntry):
    heavy = tuple(name for name in HEAVY if name != "pydantic")  # typer reads arguments with it
    code = (
        "import sys; from engine.cli import main\n"
        f"try: main(['{entry.name}', '--help'])\n"
        f"except SystemExit: print('loaded:', [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for each in entry.commands:
        assert f"  {each.name} " in done.stdout
        assert each.summary in done.stdout
    for example in entry.examples:
        assert f"  {example}\n" in done.stdout
    assert done.stdout.endswith("loaded: []\n")


@pytest.mark.parametrize("arguments", [["reviews"], ["reviews", "lst"], ["reviews", "list", "--no-such-option"]])
def test_wrong_usage_of_a_group_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    shown = capsys.readouterr()
    assert "Usage: counterpoint reviews" in shown.err + shown.out


def test_shipped_packs_are_found_by_name_and_a_wrong_name_says_which_there_are():
    assert (shipped_pack("flights") / "catalogue.yaml").is_file()
    assert shipped_pack("flights").parent == PACKS
    with pytest.raises(ConfigError, match=r"there are: flights, kpi-governance, phantom-growth, service-reliability"):
        shipped_pack("flihgts")
