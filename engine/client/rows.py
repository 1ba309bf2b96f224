"""From a row of a table to a measurement: which column is what."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import WireError
from engine.model.limits import Limits
from engine.wire.item import FIELDS, REQUIRED, Item, item_of
from engine.wire.json_text import JsonObject
from engine.wire.message import tree_of
from engine.wire.times import parse_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

NAMING = ("kpi", "dimensions", "source", "provenance")
"""Fields that are alike in all measurements of a series from one sender."""
_NUMBERS = ("value", "revision")
ID_SEPARATOR = "|"
"""Stands between the columns that make an id."""
NO_VALUE = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "-"})
"""What stands in a column of numbers where there is none, as programs that write tables have it."""

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Columns(NamedTuple):
    """Which columns make a measurement; what is None is the column named as the contract has it, where it is there.

    `kpi` and `value` are a column, or else a constant. `dimensions` maps names to columns. `id` are columns, joined by
    `|`. `zone` is whose local time a time without an offset is, and `time_unit` what a time that is a number counts in
    (`s`, `ms`, `us` or `ns` since the epoch).

    With `only`, columns that are not named here mean nothing, whatever they are called, those in `constants` are no
    columns even where there is one of that name, and rows without a value are passed over.
    """

    kpi: str | None = None
    time: str | None = None
    value: str | None = None
    dimensions: Mapping[str, str] = {}
    id: tuple[str, ...] = ()
    source: str | None = None
    zone: ZoneInfo | None = None
    time_unit: str = "s"
    only: bool = False
    constants: tuple[str, ...] = ()


class MeasurementReader:
    """Takes objects that are measurements already; of `columns` only source and zone are used."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def passes_over(self, _row: Mapping[str, object]) -> bool:
        """A measurement without a value is none: nothing is passed over."""
        return False

    def read(self, row: Mapping[str, object]) -> Item:
        """The measurement; WireError for what the contract refuses, fields that it does not have included."""
        tree = JsonObject(row)
        if self._columns.source is not None:
            tree["source"] = self._columns.source
        time = tree.get("time")
        if self._columns.zone is not None and isinstance(time, str):
            tree["time"] = _in_zone(time, self._columns.zone)
        return item_of(tree, Limits().dimensions_max)


class RowReader:
    """Turns rows of a table with the columns `names` into measurements."""

    def __init__(self, columns: Columns, names: Iterable[str]) -> None:
        self._columns = columns
        self._names = frozenset(names)
        self._check()

    @property
    def unused(self) -> list[str]:
        """Columns that say nothing of the measurement."""
        columns = self._columns
        used = {columns.kpi, columns.time, columns.value, *columns.dimensions.values(), *columns.id, *FIELDS}
        return sorted(self._names - used)

    def column_of(self, field: str) -> str | None:
        """The column that a field is read from, if it is there; None where it is a constant, or not to be read."""
        columns = self._columns
        chosen = getattr(columns, field) if field in REQUIRED else None
        if chosen is not None:
            return None if field in columns.constants or chosen not in self._names else str(chosen)
        given = columns.only or (field == "source" and columns.source is not None)
        return None if given else field

    def passes_over(self, row: Mapping[str, object]) -> bool:
        """Whether a row holds no value, and need not."""
        columns = self._columns
        if not columns.only or "value" in columns.constants:
            return False
        found = row.get(columns.value or "")
        return found is None or found != found or (isinstance(found, str) and found in NO_VALUE)  # noqa: PLR0124 - NaN

    def read(self, row: Mapping[str, object]) -> Item:
        """The measurement of a row (values as text, or as numbers); WireError for what the contract refuses."""
        return item_of(self._tree(row, FIELDS), Limits().dimensions_max)

    def naming(self, row: Mapping[str, object]) -> Item:
        """As `read`, for what names the series of a row and who tells it; time and value stand in, there is no id."""
        tree = self._tree(row, NAMING)
        tree["time"] = tree["value"] = 0
        return item_of(tree, Limits().dimensions_max)

    def _tree(self, row: Mapping[str, object], fields: Iterable[str]) -> JsonObject:
        tree = JsonObject()
        for field in fields:
            value = self._field(field, row)
            if value is not None and value != "":
                tree[field] = value
        return tree

    def _field(self, field: str, row: Mapping[str, object]) -> object:
        columns = self._columns
        if field == "dimensions":
            return self._dimensions(row)
        if field == "id" and columns.id:
            return ID_SEPARATOR.join(_text(row, name) for name in columns.id)
        if field == "source" and columns.source is not None:
            return columns.source
        chosen = getattr(columns, field) if field in REQUIRED else None
        column = self.column_of(field)
        found = chosen if column is None else row.get(column)
        if field == "time":
            return self._time(found)
        return _number(found, field) if field in _NUMBERS else found

    def _dimensions(self, row: Mapping[str, object]) -> object:
        if self._columns.dimensions:
            return {name: _text(row, column) for name, column in self._columns.dimensions.items()}
        found = None if self._columns.only else row.get("dimensions")
        return tree_of(found.encode()) if isinstance(found, str) and found else found

    def _time(self, value: object) -> object:
        if isinstance(value, date):
            value = value.isoformat()
        if not isinstance(value, str):
            return value if isinstance(value, bool) or not isinstance(value, int | float) else self._seconds(value)
        if (count := _as_number(value)) is not None:
            return self._seconds(count)
        return value if self._columns.zone is None else _in_zone(value, self._columns.zone)

    def _seconds(self, count: float) -> float:
        per_second = _PER_SECOND[self._columns.time_unit]
        return count if per_second == 1 else count / per_second

    def _check(self) -> None:
        columns = self._columns
        wanted = dict.fromkeys(columns.dimensions.values(), "--dim") | dict.fromkeys(columns.id, "--id")
        if columns.time is not None:
            wanted[columns.time] = "--time"
        if columns.only and columns.value is not None and "value" not in columns.constants:
            wanted[columns.value] = "--value"
        missing = [f"{option} {column}" for column, option in wanted.items() if column not in self._names]
        missing += [
            f"a column {field} (or --{field})"
            for field in REQUIRED
            if getattr(columns, field) is None and field not in self._names
        ]
        if missing:
            there = ", ".join(sorted(self._names))
            raise WireError("missing_column", f"expected {'; '.join(missing)}; found the columns {there}")


def _text(row: Mapping[str, object], column: str) -> str:
    value = row.get(column)
    if value is None:
        raise WireError("missing_field", f"expected a value in the column {column}, found none", path=f"$.{column}")
    return str(value)


def _in_zone(text: str, zone: ZoneInfo) -> str | float:
    """Seconds since the epoch of a local time or date; of the two in autumn the first. With an offset as it stands."""
    try:
        micros = parse_local(f"{text}T00:00:00" if _DATE.fullmatch(text) else text)
    except WireError:
        return text
    local = datetime(1970, 1, 1) + timedelta(microseconds=micros)  # noqa: DTZ001 - it gets its zone next
    return local.replace(tzinfo=zone).timestamp()


def _as_number(text: str) -> float | int | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text) if text.strip()[:1].isdigit() else None
    except ValueError:
        return None


def _number(value: object, field: str) -> object:
    """A number that stands as text; what is none is refused by name, not sent as text."""
    if not isinstance(value, str) or not value:
        return value
    try:
        number = int(value) if field == "revision" else float(value)
    except ValueError:
        raise WireError("wrong_type", f"expected a number, found {value!r}", path=f"$.{field}") from None
    return number
