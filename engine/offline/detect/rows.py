"""The rows of a file as a series: where each stands, and its value or none."""

from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from engine.client.files import PROBLEMS_MAX, raw_rows
from engine.client.rows import NO_VALUE
from engine.errors import ConfigError, WireError
from engine.offline.detect.times import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class SeriesRow(NamedTuple):
    """A row: its time as written and where that is, and its value (None: the row has none)."""

    written: str
    place: Place
    value: float | None


def read_series(path: Path, time: str, value: str) -> Iterator[SeriesRow]:
    """The rows in their order, as they are read.

    ConfigError when the file cannot be read or lacks a column, and at its end with every cell that is neither a number
    nor empty.
    """
    problems: list[str] = []
    kind: bool | None = None
    for number, row in enumerate(raw_rows(path)):
        if number == 0:
            _check_columns(path, row, time, value)
        try:
            read = SeriesRow(str(row[time]), _place_of(row[time], kind), _value_of(row.get(value), value))
        except WireError as error:
            problems.append(f"{path}: row {number}: {error.detail}")
            if len(problems) == PROBLEMS_MAX:
                break
            continue
        kind = read.place.is_time
        yield read
    if kind is None and not problems:
        problems.append(f"{path}: expected rows below a header, found none")
    if problems:
        raise ConfigError(problems)


def _place_of(cell: object, kind: bool | None) -> Place:  # noqa: FBT001 - whether the rows before it have times
    place = place_of(cell)
    if kind not in (None, place.is_time):
        raise WireError(
            "bad_time", f"expected {'a time' if kind else 'a number'} as in the rows before, found {cell!r}"
        )
    return place


def _check_columns(path: Path, row: Mapping[str, object], *names: str) -> None:
    lacking = [name for name in names if name not in row]
    if lacking:
        columns = [str(name) for name in row]
        close = get_close_matches(lacking[0], columns, 1)
        known = f"did you mean {close[0]}?" if close else f"it has: {', '.join(columns)}"
        raise ConfigError([f"{path}: expected a column {name}, found none; {known}" for name in lacking])


def _value_of(cell: object, column: str) -> float | None:
    if cell is None or (isinstance(cell, str) and cell.strip() in NO_VALUE):
        return None
    try:
        number = float("nan") if isinstance(cell, bool) else float(str(cell))
    except ValueError:
        raise WireError("bad_value", f"expected a number in {column}, found {cell!r}") from None
    return number if isfinite(number) else None
