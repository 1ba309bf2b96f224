"""Batches of a table into columns of measurements; a row that cannot be taken so is read by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import compute

from engine.client.rows import ID_SEPARATOR, NAMING
from engine.kernels.blake2b import HEX, SCRATCH
from engine.kernels.scan.derived import TEXT_BYTES
from engine.kernels.texts import derive_ids, hash_ids
from engine.offline.backtest.arrow import Texts, is_text, revisions, texts_of, times, values
from engine.offline.backtest.columns import chosen, joined
from engine.offline.backtest.items import ItemBlock
from engine.offline.backtest.series import SeriesOfRows
from engine.wire.columns import Columns
from engine.wire.item import ID_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.client.rows import Columns as ColumnNames
    from engine.client.rows import RowReader
    from engine.offline.backtest.items import Destination

    Taken = NDArray[np.uint8]


def naming_columns(named: ColumnNames, reader: RowReader, there: list[str]) -> list[str]:
    """The columns that name a series and its sender."""
    fields = [reader.column_of(field) for field in NAMING if field != "dimensions" or not named.dimensions]
    wanted = [name for name in (*fields, *named.dimensions.values()) if name is not None]
    return [name for name in dict.fromkeys(wanted) if name in there]


class TableBlocks:
    """Reads the batches of one file, which all have the columns `there`."""

    def __init__(self, named: ColumnNames, reader: RowReader, there: list[str], to: Destination) -> None:
        self._named, self._reader, self._there, self._to = named, reader, there, to
        self._series = SeriesOfRows(naming_columns(named, reader, there), reader, to)

    def read(self, batch: pa.RecordBatch, lines: NDArray[np.int64]) -> Columns:
        """The measurements of a batch, whose rows stand in `lines`."""
        taken = np.ones(batch.num_rows, np.uint8)
        found = self._taken(batch, lines, taken)
        left = np.flatnonzero(taken == 0)
        if len(left) == 0:
            return found if taken.all() and taken.max(initial=1) == 1 else chosen(found, taken == 1)
        others = self._left(batch, lines, left)
        together = joined([chosen(found, taken == 1), others])
        return chosen(together, np.argsort(together.offset, kind="stable"))

    def _taken(self, batch: pa.RecordBatch, lines: NDArray[np.int64], taken: Taken) -> Columns:
        """Columns of all rows; those that are not `taken` hold anything."""
        value = self._values(batch, taken)
        time = self._times(batch, taken)
        revision = self._revisions(batch, taken)
        texts = self._ids(batch, taken)
        numbers = self._series.numbers(batch)
        self._series.look_up(batch, numbers, taken, lines)
        texts = self._with_made(texts, numbers, time, taken)
        hashes = np.zeros(batch.num_rows, np.uint64)
        hash_ids(texts.data, texts.starts, texts.lengths, hashes)
        return Columns(
            row=self._series.rows[numbers],
            time=time,
            value=value,
            id_hash=hashes,
            revision=revision,
            flags=self._series.flags[numbers],
            offset=lines + self._to.place(0),
            item=np.zeros(batch.num_rows, np.int32),
            id_start=texts.starts,
            id_length=texts.lengths,
            ids=texts.data,
        )

    def _column(self, batch: pa.RecordBatch, name: str | None) -> pa.Array | None:
        """The column, where there is one of that name; spelt out."""
        if name is None or name not in self._there:
            return None
        column = batch.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return column.cast(pa.string()) if pa.types.is_large_string(column.type) else column

    def _values(self, batch: pa.RecordBatch, taken: Taken) -> NDArray[np.float64]:
        column = self._column(batch, self._reader.column_of("value"))
        if column is not None:
            return values(column, taken)
        return values(pa.array([self._named.value] * batch.num_rows, pa.string()), taken)

    def _times(self, batch: pa.RecordBatch, taken: Taken) -> NDArray[np.int64]:
        column = self._column(batch, self._reader.column_of("time"))
        if column is not None:
            return times(column, self._named.time_unit, taken)
        taken[:] = 0
        return np.zeros(batch.num_rows, np.int64)

    def _revisions(self, batch: pa.RecordBatch, taken: Taken) -> NDArray[np.int32]:
        column = self._column(batch, self._reader.column_of("revision"))
        return np.zeros(batch.num_rows, np.int32) if column is None else revisions(column, taken)

    def _ids(self, batch: pa.RecordBatch, taken: Taken) -> Texts:
        """Ids as they stand in their column, or columns."""
        names = self._named.id or (self._reader.column_of("id"),)
        columns = [self._column(batch, name) for name in names]
        if self._named.id:
            columns = [_written(column) for column in columns]
        found = [column for column in columns if column is not None]
        if not self._named.id and not (found and not pa.types.is_null(found[0].type)):
            nothing = np.zeros(batch.num_rows, np.int32)
            return Texts(np.empty(0, np.uint8), nothing, nothing)
        if len(found) < len(names) or not all(map(is_text, found)):
            taken[:] = 0
            nothing = np.zeros(batch.num_rows, np.int32)
            return Texts(np.empty(0, np.uint8), nothing, nothing)
        column = found[0] if len(found) == 1 else compute.binary_join_element_wise(*found, ID_SEPARATOR)
        if self._named.id and column.null_count:
            taken[column.is_null().to_numpy(zero_copy_only=False)] = 0
        texts = texts_of(column)
        taken[texts.lengths > ID_LENGTH_MAX] = 0
        return texts

    def _with_made(self, texts: Texts, numbers: NDArray[np.int32], time: NDArray[np.int64], taken: Taken) -> Texts:
        """With ids made for the rows that came without one."""
        without = (texts.lengths == 0) & (taken == 1)
        taken[without & ~self._series.derivable(numbers)] = 0
        places = np.flatnonzero(without & (taken == 1))
        if len(places) == 0:
            return texts
        made = np.empty(len(places) * HEX, np.uint8)
        text, scratch = np.zeros(TEXT_BYTES, np.uint8), np.zeros(SCRATCH, np.uint64)
        series = self._series
        derive_ids(series.arena, series.beginnings, numbers[places], time[places], text, scratch, made)
        starts, lengths = texts.starts.copy(), texts.lengths.copy()
        starts[places] = len(texts.data) + HEX * np.arange(len(places), dtype=np.int32)
        lengths[places] = HEX
        return Texts(np.concatenate([texts.data, made]) if len(texts.data) else made, starts, lengths)

    def _left(self, batch: pa.RecordBatch, lines: NDArray[np.int64], left: NDArray[np.intp]) -> Columns:
        block = ItemBlock(self._to)
        rows = batch.take(pa.array(left)).to_pylist(maps_as_pydicts="strict")
        told = zip(lines[left].tolist(), rows, strict=True)
        block.read(((line, row) for line, row in told if not _is_blank(row)), self._reader)
        return block.columns()


def _is_blank(row: Mapping[str, object]) -> bool:
    """An empty line of CSV."""
    return all(value == "" for value in row.values())


def _written(column: pa.Array | None) -> pa.Array | None:
    """As text, where Python writes it as Arrow does."""
    if column is not None and pa.types.is_integer(column.type):
        return column.cast(pa.string())
    return column
