"""`counterpoint rules`: how every rule fares over a history."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from engine.cli.backtest import InputOption, JsonOption, MappedOption, RulesOption, TicksOption, reading_of
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
from engine.cli.why_not import AtOption, time_of
from engine.rules.loader import load_or_raise

_WIDTH_WITHOUT_TERMINAL = 140


def rules(
    rules: RulesOption,
    files: InputOption,
    *,
    at: AtOption = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="Transitions of each rule.")] = 3,
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
    """Say how every rule fares over files of measurements: its mode, on how many series it is inactive, pending, firing
    or recovering, what it said last, and what keeps it from judging anything.

    Files are read as `counterpoint backtest` reads them.

    Exit status 0: no rule has a problem. 1: some have, or refused. 2: wrong usage.
    """
    from engine.offline.backtest.files import files_at  # noqa: PLC0415 - loads the stages and their kernels
    from engine.offline.why.files import health_of_files  # noqa: PLC0415 - the same
    from engine.offline.why.health_text import show_health  # noqa: PLC0415 - the same

    named = columns_named(kpi, time, value, dim, identity, source, time_unit, zone)
    mappings = [named] if table is None else columns_of_table(table, rules, named)
    every = None if ticks is None else duration_of("--ticks", ticks)
    moment = None if at is None else time_of(at)
    found, rule_set = files_at(files), load_or_raise(rules)
    reading = reading_of(mappings, mapped, rule_set)
    with Console(stderr=True).status("evaluating the files"):
        health = health_of_files(rule_set, found, reading, moment, every, last)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(health), indent=2).decode())
    else:
        show_health(health, Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL))
    if any(rule.problems for rule in health.rules):
        raise typer.Exit(1)
