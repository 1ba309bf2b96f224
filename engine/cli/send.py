"""`counterpoint send`: measurements out of files into the engine."""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from engine.brokers.sender import Sender
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
from engine.cli.settings import BrokersOption, ConfigOption, PrefixOption, RulesOption, SetOption, read_settings
from engine.client.files import read_file
from engine.client.replay import Replay
from engine.errors import ConfigError
from engine.model.time import NEVER
from engine.model.topics import MEASUREMENTS, full_name
from engine.wire.columns import SELF_REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.client.replay import Sent
    from engine.client.rows import Columns
    from engine.wire.item import Item


FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV with a header, NDJSON, or Parquet.")]
ReplayTicksOption = Annotated[
    str | None, typer.Option("--replay-ticks", metavar="DURATION", help="Send history: ticks this far apart.")
]
FinalTicksOption = Annotated[
    str, typer.Option("--final-ticks", metavar="DURATION", help="Ticks go on so long after the last row.")
]


def send(
    files: FilesArgument,
    config: ConfigOption = None,
    brokers: BrokersOption = None,
    prefix: PrefixOption = None,
    given: SetOption = None,
    *,
    kpi: KpiOption = None,
    time: TimeOption = None,
    value: ValueOption = None,
    dim: DimensionOption = None,
    identity: IdOption = None,
    source: SourceOption = None,
    time_unit: TimeUnitOption = TimeUnit.SECONDS,
    zone: ZoneOption = None,
    table: TableOption = None,
    rules: RulesOption = None,
    replay_ticks: ReplayTicksOption = None,
    final_ticks: FinalTicksOption = "0s",
) -> None:
    """Send the measurements in files to the engine.

    Columns are those of the contract (kpi, time, value, dimensions, id, source, provenance, revision) unless options
    name others, or a table among the rules does (`counterpoint init` writes one). Without an id the engine derives one
    from KPI, dimensions and time: sending a file twice adds nothing, and two rows that agree in all three count once.
    Everything is checked before anything is sent.

    With --replay-ticks the rows are sent in the order of their time, with the ticks between them that a worker in the
    replay domain lives by.
    """
    settings = read_settings(config, given, brokers=brokers, prefix=prefix, rules=rules)
    named = columns_named(kpi, time, value, dim, identity, source, time_unit, zone)
    mappings = [named] if table is None else columns_of_table(table, settings.rules, named)
    interval = None if replay_ticks is None else duration_of("--replay-ticks", replay_ticks)
    extra = duration_of("--final-ticks", final_ticks)
    console = Console(stderr=True)
    total, in_order = _check(files, mappings, console)
    items: Iterable[Item] = _read(files, mappings)
    if interval is not None and not in_order:
        items = sorted(items, key=lambda item: item.time)
    topic = full_name(settings.prefix, MEASUREMENTS)
    with Sender(",".join(settings.brokers), topic, settings.group) as sender:
        replay = Replay(sender, sender.partitions, interval)
        for item in track(items, "sending", total, console=console, disable=not console.is_terminal):
            _send(replay, item)
        sent = replay.finish(extra)
    typer.echo(_summary(sent, topic))


def _check(files: Sequence[Path], mappings: Sequence[Columns], console: Console) -> tuple[int, bool]:
    """How many measurements there are, and whether their times never go back; ConfigError with every file's faults."""
    count, newest, in_order = 0, NEVER, True
    problems: list[object] = []
    for path, columns in product(files, mappings):
        try:
            for item in read_file(path, columns, partial(console.print, style="dim", markup=False, highlight=False)):
                in_order = in_order and newest <= item.time
                newest = item.time
                count += 1
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return count, in_order


def _read(files: Sequence[Path], mappings: Sequence[Columns]) -> Iterator[Item]:
    for path, columns in product(files, mappings):
        yield from read_file(path, columns)


def _send(replay: Replay, item: Item) -> None:
    replay.measurement(
        item.kpi,
        item.dimensions,
        item.time,
        item.value,
        id=item.id,
        source=item.source,
        provenance="self_reported" if item.flags & SELF_REPORTED else "automated",
        revision=item.revision,
    )


def _summary(sent: Sent, topic: str) -> str:
    ticks = f" and {sent.ticks:,} ticks a partition" if sent.ticks else ""
    plural = "" if sent.measurements == 1 else "s"
    return f"Sent {sent.measurements:,} measurement{plural}{ticks} to {topic}."
