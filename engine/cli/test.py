"""`counterpoint test`: rule tests, and what differed."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.check import print_problems
from engine.rules.loader import load
from engine.rules.source import is_test_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.loader import Loaded
    from engine.rules.rule_tests import RuleTest


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


def test(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Folders of rules with their tests, or files of tests.", exists=True),
    ],
    rules: Annotated[
        list[Path] | None,
        typer.Option("--rules", metavar="PATH", help="Rules beside those at PATH. Repeatable.", exists=True),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.TEXT,
) -> None:
    """Run rule tests: measurements written in a line, and what the rules must say of them.

    Tests are the `kind: test` documents at PATH; they stand beside the rules, in files named *_test.yaml. For a file of
    tests the rules are those of its folder. No broker is needed: the stages of a worker run within this command, over
    the test's measurements and a clock of its own. A rule in shadow is tested as if it were on.

    Exit status 0: every test passed. 1: one failed, or a file must be mended. 2: wrong usage, or no test at PATH.
    """
    started = time.perf_counter()
    loaded = load([*map(_with_rules, paths), *(rules or ())], tests=True)
    tests = [each for each in loaded.tests if _is_at(each, paths)]
    if loaded.rule_set is not None and not tests:
        raise typer.BadParameter("expected rule tests (`kind: test`, in *_test.yaml), found none", param_hint="PATH...")
    if not _run(loaded, tests, output, started):
        raise typer.Exit(1)


def _with_rules(path: Path) -> Path:
    return path.parent if is_test_file(path.name) else path


def _is_at(test: RuleTest, paths: Sequence[Path]) -> bool:
    file = Path(test.file).resolve()
    return any(file.is_relative_to(path.resolve()) for path in paths)


def _run(loaded: Loaded, tests: Sequence[RuleTest], output: Format, started: float) -> bool:
    """Run them and print what came of it; whether all is well."""
    from engine.cli.test_report import print_report, print_verdict, summary  # noqa: PLC0415 - the stages behind it
    from engine.offline.rule_tests import run_test  # noqa: PLC0415 - loads the stages and their kernels

    if output is Format.TEXT and loaded.rule_set is None:
        print_problems(loaded.problems)
    verdicts = []
    for each in tests:
        assert loaded.rule_set is not None  # noqa: S101 - tests are bound only where it is
        verdicts.append(run_test(each, loaded.rule_set))
        if output is Format.TEXT:
            print_verdict(verdicts[-1])
    seconds = time.perf_counter() - started
    passed = loaded.rule_set is not None and all(verdict.passed for verdict in verdicts)
    if output is Format.JSON:
        print_report(loaded, verdicts, seconds)
    else:
        colour = typer.colors.GREEN if passed else typer.colors.RED
        typer.echo(typer.style(summary(loaded, verdicts, seconds), fg=colour, bold=True))
    return passed
