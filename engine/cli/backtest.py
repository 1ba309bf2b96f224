"""`counterpoint backtest`: what rules would have called, over files of the past."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

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
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from engine.client.rows import Columns
    from engine.offline.backtest.files import Reading
    from engine.offline.backtest.run import Ran
    from engine.rules.ruleset import RuleSet

_WIDTH_WITHOUT_TERMINAL = 140

RulesOption = Annotated[
    list[Path], typer.Option("--rules", metavar="PATH", help="Rule files and folders. Repeatable.", exists=True)
]
InputOption = Annotated[
    list[str],
    typer.Option("--input", metavar="FILE", help="CSV, NDJSON, Parquet; a folder or pattern of them. Repeatable."),
]
CompareOption = Annotated[
    list[Path] | None,
    typer.Option("--compare", metavar="PATH", help="Other rules: what they add and remove. Repeatable.", exists=True),
]
MappedOption = Annotated[
    str | None,
    typer.Option("--mapped", metavar="SOURCE", help="Lines are messages of a `kind: source` of the rules."),
]
TicksOption = Annotated[
    str | None, typer.Option("--ticks", metavar="DURATION", help="Between two ticks; chosen by the rules if absent.")
]
TriggersOption = Annotated[
    Path | None, typer.Option("--triggers-out", metavar="FILE", help="Write the review triggers as NDJSON.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write everything as JSON, for programs.")]


def backtest(
    rules: RulesOption,
    files: InputOption,
    *,
    compare: CompareOption = None,
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
    triggers_out: TriggersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate rules over files of measurements, as a worker would have done, and say which reviews it had called.

    Files may be larger than memory. Columns and fields are those of the contract unless options name others, as for
    `counterpoint send`: --table takes a `kind: table` of the rules, --mapped a `kind: source`, whose mappings turn
    messages of a foreign topic, one a line, into measurements. Several files are merged by time. The clock moves with
    the data. Bad rows are counted, with the places of the first, and do not stop it.

    With --compare the same files go through other rules as well: the reviews that these remove, keep and add.
    """
    from engine.offline.backtest.files import files_at  # noqa: PLC0415 - loads the stages and their kernels

    named = columns_named(kpi, time, value, dim, identity, source, time_unit, zone)
    mappings = [named] if table is None else columns_of_table(table, rules, named)
    every = None if ticks is None else duration_of("--ticks", ticks)
    found, sets = files_at(files), [load_or_raise(paths) for paths in (rules, compare) if paths]
    readings = [reading_of(mappings, mapped, rule_set) for rule_set in sets]
    with _writer(triggers_out) as write:
        first = _run(sets[0], found, readings[0], every, write)
    others = [_run(sets[1], found, readings[1], every, _nowhere)] if compare else []
    _report(first, *others, as_json=as_json)


def _nowhere(_: bytes) -> None:
    pass


@contextmanager
def _writer(path: Path | None) -> Iterator[Callable[[bytes], None]]:
    """Writes triggers, one a line, to a file if there is to be one."""
    if path is None:
        yield _nowhere
        return
    with path.open("wb") as file:
        yield lambda value: file.writelines((value, b"\n"))


def reading_of(mappings: Sequence[Columns], mapped: str | None, rule_set: RuleSet) -> Reading:
    """How files are read: by columns, or with `mapped` as messages of a source of the rules."""
    from engine.offline.backtest.files import Reading  # noqa: PLC0415 - loads the stages and their kernels

    if mapped is None:
        return Reading(tuple(mappings))
    for each in rule_set.sources:
        if each.id == mapped:
            return Reading(source=each)
    known = ", ".join(each.id for each in rule_set.sources) or "none"
    raise typer.BadParameter(f"--mapped: expected the id of a source of the rules: {known}; found {mapped}")


def _run(
    rule_set: RuleSet,
    files: Sequence[Path],
    reading: Reading,
    every: int | None,
    write: Callable[[bytes], None],
) -> Ran:
    from engine.offline.backtest.run import run  # noqa: PLC0415 - the same

    columns = (TextColumn("evaluated"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        bar = shown.add_task("", total=1.0)
        return run(
            rule_set,
            files,
            reading,
            every=every,
            progress=lambda share: shown.update(bar, completed=share),
            triggers=write,
        )


def _report(*runs: Ran, as_json: bool) -> None:
    from engine.offline.backtest.compare import compare  # noqa: PLC0415 - the same
    from engine.offline.backtest.summary import summary_of  # noqa: PLC0415 - the same
    from engine.offline.backtest.text import show_comparison, show_summary  # noqa: PLC0415 - the same

    summaries = [summary_of(ran) for ran in runs]
    compared = compare(summaries[0].reviews, summaries[1].reviews) if len(summaries) > 1 else None
    if as_json:
        document = {"summary": summaries[0], "compared_with": summaries[-1] if compared else None, "change": compared}
        typer.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_WITHOUT_TERMINAL)
    for summary in summaries:
        show_summary(summary, console)
    if compared is not None:
        show_comparison(compared, console)
