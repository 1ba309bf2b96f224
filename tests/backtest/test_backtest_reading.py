"""Columns of a file are read as its rows are, one by one: the same measurements, the same refusals, the same places."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from engine.client.files import sample_rows
from engine.client.rows import Columns, RowReader
from engine.errors import WireError
from engine.model.identity import derived_measurement_id, id_hash, series_key
from engine.offline.backtest.arrow import revisions, times, values
from engine.offline.backtest.files import Reading, read_blocks
from engine.offline.backtest.items import Destination
from engine.offline.backtest.refusals import Refusals, file_and_line
from engine.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAMES = ("k", "time", "v", "host", "site", "id", "revision", "source", "provenance")
TIMES = st.sampled_from(
    ["2013-02-08T05:00:00Z", "2013-02-08T05:00:00.1234567+01:00", "1700000000", "1700000000.25", "-5", "-5.5", "", "x",
     "2013-02-08", "2013-02-08 05:00:00", "1e9", "1700000000000", "1850-01-01T00:00:00Z", "2013-02-08t05:00:00z"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["1", "2.5", "-0", "1e3", "NaN", "inf", "", "x", "NA", "1_000", " 7", "0.1", "+4", "0012", "1e400"]
)
WORDS = st.sampled_from(["a", "b", "", "ü", 'with "quotes"', "two\nlines"])
CELLS = st.tuples(
    st.sampled_from(["load", "other", "unknown", ""]),
    TIMES,
    VALUES,
    WORDS,
    WORDS,
    st.sampled_from(["", "x1", "x2", "i" * 256, "i" * 257, "ü" * 200]),
    st.sampled_from(["", "0", "7", "-1", "1.5", "x"]),
    st.sampled_from(["", "shop", "forbidden"]),
    st.sampled_from(["", "automated", "self_reported", "guessed"]),
)
SECONDS = st.sampled_from([0, 2**31 - 1, 1_700_000_000, 1_700_000_000.1234567])
NUMBERS = st.one_of(st.none(), st.floats(width=64), st.integers(-(2**62), 2**62), SECONDS)
CHOICES = st.sampled_from(
    [
        Columns(kpi="k", value="v", dimensions={"host": "host", "place": "site"}),
        Columns(kpi="k", value="v", dimensions={"host": "host"}, id=("host", "id"), time_unit="ms"),
        Columns(kpi="load", time="time", value="v", dimensions={"host": "host"}, only=True, constants=("kpi",)),
        Columns(kpi="k", value="1.5", source="shop", zone=ZoneInfo("Europe/Berlin")),
    ]
)


class Series:
    """Resolves as a partition does: rows by series, in the order in which they come; some are refused."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def __call__(self, kpi: str, dimensions: dict[str, str], source: str | None) -> int:
        if kpi == "unknown":
            raise WireError("unknown_kpi", "no such KPI")
        if source == "forbidden":
            raise WireError("source_not_allowed", "not from there")
        return self.rows.setdefault(series_key(kpi, dimensions), len(self.rows))

    def key_of(self, row: int) -> str:
        return next(key for key, mine in self.rows.items() if mine == row)


def as_columns(path: Path, named: Columns) -> tuple[list[tuple[Any, ...]], Refusals]:
    series, refusals = Series(), Refusals()
    to = Destination(path, 3, series, refusals)
    found = []
    for columns, share in read_blocks(Reading(), named, RuleSet((), (), (), (), (), {}), to):
        assert 0 <= share <= 1
        for number, row in enumerate(columns.row.tolist()):
            start = columns.id_start[number]
            identifier = columns.ids[start : start + columns.id_length[number]].tobytes()
            assert columns.id_hash[number] == id_hash(identifier)
            file, line = file_and_line(int(columns.offset[number]))
            assert file == 3
            found.append(
                (line, series.key_of(row), columns.time[number], columns.value[number], identifier.decode(),
                 columns.revision[number], columns.flags[number])
            )  # fmt: skip
    return found, refusals


def by_row(rows: Iterator[tuple[int, Mapping[str, object]]], named: Columns, names: tuple[str, ...]) -> Any:
    """What the reader of rows says of each."""
    series, reader = Series(), RowReader(named, names)
    found, refused, passed = [], [], 0
    for line, row in rows:
        try:
            if reader.passes_over(row):
                passed += 1
                continue
            item = reader.read(row)
            series(item.kpi, item.dimensions, item.source)
        except WireError as error:
            refused.append((error.reason, line))
            continue
        identifier = item.id or derived_measurement_id(item.kpi, item.dimensions, item.time)
        key = series_key(item.kpi, item.dimensions)
        found.append((line, key, item.time, item.value, identifier, item.revision, item.flags))
    return found, refused, passed


def same(path: Path, named: Columns, rows: Iterator[tuple[int, Mapping[str, object]]], names: tuple[str, ...]) -> None:
    found, refusals = as_columns(path, named)
    expected, refused, passed = by_row(rows, named, names)
    assert found == expected
    reasons = [reason for reason, _ in refused]
    assert dict(refusals.counts) == {reason: reasons.count(reason) for reason in reasons}
    assert refusals.passed_over == passed
    for reason, told in refusals.examples.items():
        assert {int(each.removeprefix(f"{path}:").split(":")[0]) for each in told} <= {
            line for mine, line in refused if mine == reason
        }


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CELLS, max_size=30), named=CHOICES)
def test_csv_is_read_as_its_rows_are(tmp_path: Path, cells: list[tuple[str, ...]], named: Columns):
    cells = [tuple(cell.replace("\n", " ") for cell in row) for row in cells]
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([NAMES, *cells])
    rows = ((number, dict(zip(NAMES, row, strict=True))) for number, row in enumerate(cells, 2))
    same(path, named, rows, NAMES)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(CELLS, min_size=1, max_size=30),
    named=CHOICES,
    numbers=st.lists(NUMBERS, min_size=90, max_size=90),
    kinds=st.tuples(
        st.sampled_from([pa.string(), pa.float64(), pa.int64(), pa.float32()]),
        st.sampled_from(
            [pa.string(), pa.float64(), pa.int64(), pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"),
             pa.timestamp("s", "Europe/Berlin"), pa.timestamp("ms"), pa.date32()]
        ),
        st.sampled_from([pa.string(), pa.int32(), pa.int64(), pa.float64()]),
    ),
)  # fmt: skip
def test_parquet_is_read_as_its_rows_are(
    tmp_path: Path, cells: list[tuple[str, ...]], named: Columns, numbers: list[float | None], kinds: Any
):
    path = tmp_path / "rows.parquet"
    columns = {name: pa.array([row[place] or None for row in cells]) for place, name in enumerate(NAMES)}
    for place, (name, kind) in enumerate(zip(("v", "time", "revision"), kinds, strict=True)):
        if kind != pa.string():
            columns[name] = _numbers(numbers[30 * place : 30 * place + len(cells)], kind)
    parquet.write_table(pa.table({name: _texts(column) for name, column in columns.items()}), path, row_group_size=11)
    rows = enumerate(sample_rows(path, len(cells)), 1)
    same(path, named, rows, NAMES)


def _texts(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column


def _numbers(given: list[float | None], kind: pa.DataType) -> pa.Array:
    """Those of the numbers that the type can hold."""
    held = []
    for number in given:
        try:
            whole = number if number is None or pa.types.is_floating(kind) else int(number)
            if whole is not None and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
                whole = abs(whole) % (20_000 if pa.types.is_date(kind) else 4_000_000_000)
            pa.array([whole], kind)
            held.append(whole)
        except (pa.ArrowInvalid, OverflowError, ValueError):
            held.append(None)
    return pa.array(held, kind)


@pytest.mark.parametrize(
    ("read", "column"),
    [
        (values, pa.array([1.0, 2.0])),
        (values, pa.array([1, 2])),
        (lambda column, taken: times(column, "s", taken), pa.array([1, 2], pa.timestamp("us", "UTC"))),
        (lambda column, taken: times(column, "us", taken), pa.array([1, 2])),
        (revisions, pa.array([1, 2], pa.int32())),
    ],
)
def test_columns_are_of_the_types_that_kernels_are_compiled_for(read: Any, column: pa.Array):
    assert read(column, np.ones(2, np.uint8)).flags.writeable
