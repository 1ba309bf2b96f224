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

    from engine.offline.rule_tests import Verdict
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
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write what came of it as JUnit XML, too.")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="List what no test reaches: rules, and branches of them.")
    ] = False,
) -> None:
    """Run rule tests: measurements written in a line, when rules must fire, and what must become of their reviews.

    Tests are the `kind: test` documents at PATH; they stand beside the rules, in files named *_test.yaml. For a file of
    tests the rules are those of its folder. No broker is needed: the stages of a worker run within this command, over
    the test's measurements and a clock of its own. A rule in shadow is tested as if it were on.

    Branches of a rule are that it fires (on each side that it looks at), recovers, and keeps silent; of a composite
    that each member decides, on and off; of a conflict that each counterpart worsens. `--format json` has them
    always, as `not_reached`.

    Exit status 0: every test passed. 1: one failed, or a file must be mended. 2: wrong usage, or no test at PATH.
    """
    started = time.perf_counter()
    loaded = load([*map(_with_rules, paths), *(rules or ())], tests=True)
    tests = [each for each in loaded.tests if _is_at(each, paths)]
    if loaded.rule_set is not None and not tests:
        raise typer.BadParameter("expected rule tests (`kind: test`, in *_test.yaml), found none", param_hint="PATH...")
    verdicts = _run(loaded, tests, output)
    if junit is not None:
        _write_junit(junit, verdicts, loaded)
    if not _report(loaded, [verdict for verdict, _ in verdicts], output, time.perf_counter() - started, coverage):
        raise typer.Exit(1)


def _with_rules(path: Path) -> Path:
    return path.parent if is_test_file(path.name) else path


def _is_at(test: RuleTest, paths: Sequence[Path]) -> bool:
    file = Path(test.file).resolve()
    return any(file.is_relative_to(path.resolve()) for path in paths)


def _run(loaded: Loaded, tests: Sequence[RuleTest], output: Format) -> list[tuple[Verdict, float]]:
    """Run them, each with the seconds that it took; for people print what came of each."""
    from engine.cli.test_report import print_verdict  # noqa: PLC0415 - the stages behind it
    from engine.offline.rule_tests import run_test  # noqa: PLC0415 - loads the stages and their kernels

    if output is Format.TEXT and loaded.rule_set is None:
        print_problems(loaded.problems)
    verdicts = []
    for each in tests:
        assert loaded.rule_set is not None  # noqa: S101 - tests are bound only where it is
        started = time.perf_counter()
        verdict = run_test(each, loaded.rule_set)
        verdicts.append((verdict, time.perf_counter() - started))
        if output is Format.TEXT:
            print_verdict(verdict)
    return verdicts


def _write_junit(path: Path, verdicts: Sequence[tuple[Verdict, float]], loaded: Loaded) -> None:
    from engine.cli.test_junit import write_junit  # noqa: PLC0415 - the stages behind it

    try:
        write_junit(path, verdicts, loaded.problems)
    except OSError as error:
        raise typer.BadParameter(
            f"expected a file that can be written, found {error.strerror}", param_hint="--junit"
        ) from None


def _report(loaded: Loaded, verdicts: Sequence[Verdict], output: Format, seconds: float, coverage: bool) -> bool:
    """Print what came of all; whether all is well."""
    from engine.cli.test_report import print_not_reached, print_report, summary  # noqa: PLC0415 - the stages behind it

    passed = loaded.rule_set is not None and all(verdict.passed for verdict in verdicts)
    if output is Format.JSON:
        print_report(loaded, verdicts, seconds)
        return passed
    if coverage and loaded.rule_set is not None:
        print_not_reached(verdicts, loaded.rule_set)
    colour = typer.colors.GREEN if passed else typer.colors.RED
    typer.echo(typer.style(summary(loaded, verdicts, seconds), fg=colour, bold=True))
    return passed
