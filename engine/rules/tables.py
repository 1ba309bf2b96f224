"""Tables as they are used: which column of a file is what. They are no part of a rule set: a worker needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.rules.spec.table import ColumnSpec

if TYPE_CHECKING:
    from engine.rules.declared import Declarations
    from engine.rules.spec.table import RowSpec


class RowMapping(NamedTuple):
    """How one row becomes one measurement. `value` is a column's name, or a number for every row."""

    kpi: str
    value: str | float
    time: str
    time_unit: Literal["s", "ms", "us", "ns"]
    time_zone: str | None
    dimensions: dict[str, str]
    id: tuple[str, ...]


class Table(NamedTuple):
    """Files of rows, and the measurements that each row gives."""

    id: str
    mappings: tuple[RowMapping, ...]


def bind_tables(declarations: Declarations) -> tuple[Table, ...]:
    """The tables of declarations in which no check has found an error, by id."""
    return tuple(
        Table(id_, tuple(_mapping(each) for each in declared.spec.map))
        for id_, declared in sorted(declarations.tables.items())
    )


def _mapping(spec: RowSpec) -> RowMapping:
    return RowMapping(
        kpi=spec.kpi,
        value=spec.value.column if isinstance(spec.value, ColumnSpec) else spec.value,
        time=spec.time.column,
        time_unit=spec.time.unit or "s",
        time_zone=spec.time.zone,
        dimensions={name: column.column for name, column in spec.dimensions.items()},
        id=tuple(spec.id),
    )
