"""`counterpoint why-not`: the first gate that stopped a rule from firing on a series."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from engine.cli.backtest import MappedOption, TicksOption, reading_of
from engine.cli.file_columns import (
    DimensionOption,
    IdOption,
    KpiOption,
    SourceOption,
    TableOption,
    TimeOption,
    TimeUnit,
    TimeUnitOption,
    ValueOption,
    ZoneOption,
    columns_named,
    columns_of_table,
    duration_of,
)
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, SetOption, read_settings
from engine.errors import WireError
from engine.rules.loader import load_or_raise
from engine.wire.times import parse_time

if TYPE_CHECKING:
    from engine.client.rows import Columns
    from engine.offline.why.gates import Answer

_WIDTH_WITHOUT_TERMINAL = 120
FIRES = 3
"""Exit status: the rule fires there."""

AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As it stood then (RFC 3339), not at the end of the log.")
]
RulesOfFilesOption = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="PATH", help="Rule files and folders, with --input. Repeatable.", exists=True),
]
FilesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="Files instead of the log: CSV, NDJSON, Parquet; a folder or pattern. Repeatable.",
    ),
]


def why_not(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The id of a rule.")],
    series: Annotated[
        str,
        typer.Argument(
            metavar="SERIES",
            help="KPI{NAME=VALUE,...}, or NAME=VALUE,... of the rule's KPI; of a rule that joins, a scope.",
        ),
    ],
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    at: AtOption = None,
    rules: RulesOfFilesOption = None,
    files: FilesOption = None,
    kpi: KpiOption = None,
    time: TimeOption = None,
    value: ValueOption = None,
    dim: DimensionOption = None,
    identity: IdOption = None,
    source: SourceOption = None,
    time_unit: TimeUnitOption = TimeUnit.SECONDS,
    zone: ZoneOption = None,
    table: TableOption = None,
    mapped: MappedOption = None,
    ticks: TicksOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the answer as JSON, for programs.")] = False,
) -> None:
    """Say which gate was the first to stop a rule from firing on a series, what was seen there and what was needed.

    The measurements go through the stages of a worker again, in this process, up to the time that is asked about: those
    of the log, or with --rules and --input those of files, as `counterpoint backtest` reads them. Nothing is written to
    the broker.

    Exit status 0: a gate is shut. 3: the rule fires there, and nothing keeps its review from people. 1: refused. 2:
    wrong usage.
    """
    if bool(rules) != bool(files):
        raise typer.BadParameter("expected --rules and --input together, or neither")
    moment = None if at is None else time_of(at)
    if rules and files:
        named = columns_named(kpi, time, value, dim, identity, source, time_unit, zone)
        mappings = [named] if table is None else columns_of_table(table, rules, named)
        every = None if ticks is None else duration_of("--ticks", ticks)
        answer = _of_files(rule, series, moment, rules, files, mappings, mapped, every)
    else:
        from engine.cli.why_not_log import answer_of_log  # noqa: PLC0415 - without a log nothing of it is needed

        with Console(stderr=True).status("replaying the log"):
            settings = read_settings(config, given, brokers=brokers, prefix=prefix)
            answer = answer_of_log(settings, rule, series, moment)
    _print(answer, as_json=as_json)
    if answer.gate in (None, "already_firing"):
        raise typer.Exit(FIRES)


def time_of(text: str) -> int:
    """Microseconds since the epoch of what --at says; BadParameter for what is no time."""
    try:
        return parse_time(text)
    except WireError as error:
        raise typer.BadParameter(f"--at: expected a time such as 2026-02-28T12:00:00Z: {error.detail}") from None


def _of_files(
    rule: str,
    text: str,
    at: int | None,
    rules: list[Path],
    files: list[str],
    mappings: list[Columns],
    mapped: str | None,
    every: int | None,
) -> Answer:
    from engine.offline.backtest.files import files_at  # noqa: PLC0415 - loads the stages and their kernels
    from engine.offline.why.files import answer_of_files  # noqa: PLC0415 - the same
    from engine.offline.why.named import series_of  # noqa: PLC0415 - the same

    found, rule_set = files_at(files), load_or_raise(rules)
    try:
        series = series_of(text, rule, rule_set)
    except WireError as error:
        raise typer.BadParameter(error.detail, param_hint="SERIES") from None
    reading = reading_of(mappings, mapped, rule_set)
    with Console(stderr=True).status("evaluating the files"):
        return answer_of_files(rule_set, rule, series, found, reading, at, every)


def _print(answer: Answer, *, as_json: bool) -> None:
    from engine.offline.why.text import show_answer  # noqa: PLC0415 - loads the stages and their kernels

    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
        return
    show_answer(answer, Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL))
