"""`counterpoint check`: every problem of every rule file at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from engine.cli.file_columns import duration_of
from engine.model.topics import MEASUREMENTS_KEPT
from engine.rules.loader import Loaded, load
from engine.rules.problems import Problem
from engine.runtime.settings import format_duration

_RARE = ("table", "test")
"""Not worth a word where there are none."""


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Rule files, or folders of them.", exists=True)
    ],
    output: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.TEXT,
    kept: Annotated[
        str, typer.Option("--kept", metavar="DURATION", help="How long the broker keeps measurements.")
    ] = format_duration(MEASUREMENTS_KEPT),
) -> None:
    """Check catalogues, rules, sources and rule tests: every problem of every file at once.

    Each problem is one line: file:line:column, what was expected, what was found, how to mend it, and its code.
    Exit status 0: fine, warnings allowed. 1: something must be mended. 2: wrong usage, or no rule file at PATH.
    """
    started = time.perf_counter()
    loaded = load(paths, tests=True, today=datetime.now(UTC).date(), kept=duration_of("--kept", kept))
    if loaded.files == 0:
        raise typer.BadParameter("expected rule files (*.yaml or *.yml), found none", param_hint="PATH...")
    seconds = time.perf_counter() - started
    if output is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(_report(loaded, seconds)), indent=2))
    else:
        _print_text(loaded, seconds)
    if loaded.rule_set is None:
        raise typer.Exit(1)


def _print_text(loaded: Loaded, seconds: float) -> None:
    print_problems(loaded.problems)
    colour = typer.colors.GREEN if loaded.rule_set is not None else typer.colors.RED
    typer.echo(typer.style(_summary(loaded, seconds), fg=colour, bold=True))


def print_problems(problems: Iterable[Problem]) -> None:
    """A line each, as `check` shows them."""
    for problem in problems:
        typer.echo(_line(problem))


def _line(problem: Problem) -> str:
    warning = problem.severity == "warning"
    place = typer.style(f"{problem.file}:{problem.line}:{problem.column}:", bold=True)
    mark = typer.style("warning: ", fg=typer.colors.YELLOW) if warning else ""
    return f"{place} {mark}{problem.sentence} {typer.style(f'[{problem.code}]', dim=True)}"


def _summary(loaded: Loaded, seconds: float) -> str:
    counts = _counts(loaded)
    listed = ", ".join(_count(number, noun) for noun, number in counts.items() if number or noun not in _RARE)
    return f"{'ok' if loaded.rule_set is not None else 'not ok'}: {listed} in {seconds:.2f} s"


def _counts(loaded: Loaded) -> dict[str, int]:
    warnings = sum(problem.severity == "warning" for problem in loaded.problems)
    return {
        **loaded.declared._asdict(),
        "file": loaded.files,
        "error": len(loaded.problems) - warnings,
        "warning": warnings,
    }


def _count(number: int, noun: str) -> str:
    word = "KPI" if noun == "kpi" else noun
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _report(loaded: Loaded, seconds: float) -> dict[str, Any]:
    return {
        "ok": loaded.rule_set is not None,
        "rule_set": loaded.rule_set.hash if loaded.rule_set is not None else None,
        "counts": _counts(loaded),
        "seconds": round(seconds, 3),
        "problems": loaded.problems,
    }
