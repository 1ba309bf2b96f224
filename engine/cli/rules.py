"""`counterpoint rules`: how every rule fares over a history."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from engine.cli.backtest import JsonOption, MappedOption, TicksOption, reading_of
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
from engine.cli.why_not import AtOption, FilesOption, RulesOfFilesOption, time_of
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from engine.client.rows import Columns
    from engine.offline.why.health import Health

_WIDTH_WITHOUT_TERMINAL = 140


def rules(
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    at: AtOption = None,
    rules: RulesOfFilesOption = None,
    files: FilesOption = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="Evaluations and transitions a rule.")] = 3,
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
    as_json: JsonOption = False,
) -> None:
    """Say how every rule fares: its mode, on how many series it is inactive, pending, firing or recovering, what it
    evaluated and said last, and what keeps it from judging anything.

    The measurements are those of the log, or with --rules and --input those of files, as `counterpoint backtest` reads
    them. Nothing is written to the broker.

    Exit status 0: no rule has a problem. 1: some have, or refused. 2: wrong usage.
    """
    from engine.offline.why.health_text import show_health  # noqa: PLC0415 - loads the stages and their kernels

    if bool(rules) != bool(files):
        raise typer.BadParameter("expected --rules and --input together, or neither")
    moment = None if at is None else time_of(at)
    if rules and files:
        named = columns_named(kpi, time, value, dim, identity, source, time_unit, zone)
        mappings = [named] if table is None else columns_of_table(table, rules, named)
        every = None if ticks is None else duration_of("--ticks", ticks)
        health = _of_files(rules, files, mappings, mapped, moment, every, last)
    else:
        from engine.cli.why_not_log import rules_of_log  # noqa: PLC0415 - without a log nothing of it is needed

        with Console(stderr=True).status("replaying the log"):
            health = rules_of_log(read_settings(config, given, brokers=brokers, prefix=prefix), moment, last)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(health), indent=2).decode())
    else:
        show_health(health, Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL))
    if any(rule.problems for rule in health.rules):
        raise typer.Exit(1)


def _of_files(
    rules: list[Path],
    files: list[str],
    mappings: list[Columns],
    mapped: str | None,
    at: int | None,
    every: int | None,
    last: int,
) -> Health:
    from engine.offline.backtest.files import files_at  # noqa: PLC0415 - loads the stages and their kernels
    from engine.offline.why.files import health_of_files  # noqa: PLC0415 - the same

    found, rule_set = files_at(files), load_or_raise(rules)
    reading = reading_of(mappings, mapped, rule_set)
    with Console(stderr=True).status("evaluating the files"):
        return health_of_files(rule_set, found, reading, at, every, last)
