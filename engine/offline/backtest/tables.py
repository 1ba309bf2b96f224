"""CSV and Parquet in batches, never whole."""

from __future__ import annotations

from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine.client.files import opened_parquet, table_of
from engine.client.rows import RowReader
from engine.errors import ConfigError, WireError
from engine.offline.backtest.items import ItemBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.client.rows import Columns as ColumnNames
    from engine.offline.backtest.items import Destination
    from engine.wire.columns import Columns

    Progressed = tuple[Columns, float]

ROWS_AT_ONCE = 262_144
"""Of Parquet; a block of CSV is BYTES_AT_ONCE."""
BYTES_AT_ONCE = 16 * 1024 * 1024
_ITEMS_AT_ONCE = 20_000


def read_parquet(named: ColumnNames, to: Destination) -> Iterator[Progressed]:
    """The measurements of a Parquet file, with the share of it that was read."""
    from engine.offline.backtest.table import TableBlocks, naming_columns  # noqa: PLC0415 - needs pyarrow

    with opened_parquet(to.path) as whole:
        names = whole.schema_arrow.names
        reader = RowReader(named, names)
        used = _used(reader, names)
        kinds = {field.name: str(field.type) for field in whole.schema_arrow}
        spelt = [name for name in naming_columns(named, reader, names) if kinds[name] == "string"]
    with opened_parquet(to.path, dictionaries=spelt) as file:
        blocks = TableBlocks(named, reader, used, to)
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=used):
            yield blocks.read(batch, np.arange(done + 1, done + batch.num_rows + 1)), (done + batch.num_rows) / total
            done += batch.num_rows


def read_csv(named: ColumnNames, to: Destination) -> Iterator[Progressed]:
    """The measurements of a CSV file with a header, with the share of it that was read."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - large, and an optional dependency
    except ImportError:
        yield from _read_csv_by_row(named, to)
        return
    with to.path.open(encoding="utf-8-sig", newline="") as file:
        table = table_of(file)
        names = [*(table.fieldnames or ())]
        delimiter = str(table.reader.dialect.delimiter)
    try:
        yield from _read_csv(named, to, names, delimiter)
    except pa.ArrowInvalid as error:
        raise ConfigError([f"{to.path}: expected CSV in UTF-8, found: {error}"]) from error


def _read_csv(named: ColumnNames, to: Destination, names: list[str], delimiter: str) -> Iterator[Progressed]:
    import pyarrow as pa  # noqa: PLC0415 - large, and an optional dependency
    from pyarrow import csv as arrow_csv  # noqa: PLC0415 - the same

    from engine.offline.backtest.table import TableBlocks, naming_columns  # noqa: PLC0415 - the same

    reader = RowReader(named, names)
    used = _used(reader, names)
    spelt = naming_columns(named, reader, used)
    lines = _Lines(to, len(names))
    types = {name: pa.dictionary(pa.int32(), pa.string()) if name in spelt else pa.string() for name in used}
    size = to.path.stat().st_size
    with pa.OSFile(str(to.path)) as file:
        batches = arrow_csv.open_csv(
            file,
            # The places of faulty rows are told only where one thread reads.
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BYTES_AT_ONCE),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=lines.faulty,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, include_columns=used, strings_can_be_null=False
            ),
        )
        blocks = TableBlocks(named, reader, used, to)
        for batch in batches:
            yield blocks.read(batch, lines.of(batch.num_rows)), file.tell() / size


class _Lines:
    """Which line each row stands in, behind the header and among rows that have another number of columns.

    A line break within quotes is not counted.
    """

    def __init__(self, to: Destination, columns: int) -> None:
        self._to, self._columns = to, columns
        self._rows = 0
        self._faulty: list[int] = []

    def faulty(self, row: pa.csv.InvalidRow) -> str:
        """Arrow found a row of another number of columns; it is refused."""
        detail = f"expected {self._columns} columns, found {row.actual_columns}"
        self._to.refuse(WireError("columns", detail), row.number)
        self._faulty.append(row.number - 2 - len(self._faulty))
        return "skip"

    def of(self, rows: int) -> NDArray[np.int64]:
        """The lines of the next rows."""
        numbers = np.arange(self._rows, self._rows + rows)
        self._rows += rows
        return numbers + 2 + np.searchsorted(np.array(self._faulty, np.int64), numbers, side="right")


def _read_csv_by_row(named: ColumnNames, to: Destination) -> Iterator[Progressed]:
    size = to.path.stat().st_size
    with to.path.open("rb") as bytes_of, TextIOWrapper(bytes_of, encoding="utf-8-sig", newline="") as file:
        table = table_of(file)
        reader = RowReader(named, table.fieldnames or ())
        rows = ((table.line_num, row) for row in table)
        while held := list(islice(rows, _ITEMS_AT_ONCE)):
            block = ItemBlock(to)
            block.read(held, reader)
            yield block.columns(), bytes_of.tell() / size


def _used(reader: RowReader, names: list[str]) -> list[str]:
    unused = frozenset(reader.unused)
    return [name for name in names if name not in unused]
