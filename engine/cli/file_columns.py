"""The options by which a command is told which column of a file is what, and how they become `Columns`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from engine.client.rows import Columns
from engine.errors import ConfigError
from engine.rules.loader import load
from engine.runtime.settings import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.tables import RowMapping


class TimeUnit(StrEnum):
    """What a time that is a number counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"


KpiOption = Annotated[
    str | None, typer.Option("--kpi", metavar="COLUMN|ID", help="The column with the KPI, or one KPI for all rows.")
]
TimeOption = Annotated[str | None, typer.Option("--time", metavar="COLUMN", help="The column with the event time.")]
ValueOption = Annotated[
    str | None, typer.Option("--value", metavar="COLUMN|NUMBER", help="The column with the value, or a number.")
]
DimensionOption = Annotated[
    list[str] | None, typer.Option("--dim", metavar="NAME[=COLUMN]", help="A dimension. Repeatable.")
]
IdOption = Annotated[
    list[str] | None, typer.Option("--id", metavar="COLUMN", help="What names a measurement. Repeatable: joined.")
]
SourceOption = Annotated[str | None, typer.Option("--source", help="Who sends: the source of all rows.")]
TimeUnitOption = Annotated[
    TimeUnit, typer.Option("--time-unit", help="What times that are numbers count, since the epoch.")
]
ZoneOption = Annotated[str | None, typer.Option("--zone", help="Whose local time times without an offset are.")]
TableOption = Annotated[
    str | None, typer.Option("--table", metavar="ID", help="A `kind: table` of the rules, instead of columns here.")
]


def columns_named(
    kpi: str | None,
    time: str | None,
    value: str | None,
    dim: list[str] | None,
    identity: list[str] | None,
    source: str | None,
    time_unit: TimeUnit,
    zone: str | None,
) -> Columns:
    """What the options say."""
    return Columns(
        kpi, time, value, _dimensions(dim or []), tuple(identity or ()), source, _zone(zone), time_unit.value
    )


def columns_of_table(name: str, rules: Sequence[Path], named: Columns) -> list[Columns]:
    """What a table of the rules says of each row, a mapping each; the option --source goes on."""
    if named != Columns(source=named.source):
        raise typer.BadParameter(
            "--table: expected it without --kpi, --time, --value, --dim, --id, --zone, --time-unit"
        )
    loaded = load(rules)
    if loaded.rule_set is None:
        raise ConfigError([problem for problem in loaded.problems if problem.severity == "error"])
    for found in loaded.tables:
        if found.id == name:
            return [_columns(each, named.source or name) for each in found.mappings]
    known = ", ".join(each.id for each in loaded.tables) or "none"
    raise typer.BadParameter(
        f"--table: expected the id of a table in {', '.join(map(str, rules))}: {known}; found {name}"
    )


def _columns(mapping: RowMapping, source: str) -> Columns:
    constant = isinstance(mapping.value, float)
    return Columns(
        kpi=mapping.kpi,
        time=mapping.time,
        value=str(mapping.value),
        dimensions=mapping.dimensions,
        id=mapping.id,
        source=source,
        zone=_zone(mapping.time_zone),
        time_unit=mapping.time_unit,
        only=True,
        constants=("kpi", "value") if constant else ("kpi",),
    )


def _dimensions(given: Sequence[str]) -> dict[str, str]:
    """`origin` and `origin=ORIGIN_AIRPORT`."""
    return {name: column or name for name, _, column in (item.partition("=") for item in given)}


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(
            f"--zone: expected the name of a time zone such as Europe/Vienna, found {name!r}"
        ) from None


def duration_of(option: str, text: str) -> int:
    """Microseconds; BadParameter for what is no duration."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}, found {text!r}") from None
