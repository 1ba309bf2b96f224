"""Which series each row of a table is of: what names it is looked up once, by the reader of rows, and known by number.

The numbers go through hash tables of Arrow, a column at a time: the values of the columns that name a series become
codes, pairs of codes become codes, until one is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import compute

from engine.errors import WireError
from engine.kernels.scan.derived import BEGINNING_MAX
from engine.kernels.texts import BEGINNING
from engine.model.identity import derived_id_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engine.client.rows import RowReader
    from engine.offline.backtest.items import Destination

_UNKNOWN, _REFUSED = -1, -2
REFUSED = 2
"""In `taken`, beside 0 (left) and 1."""


class _Codes:
    """Numbers from 0 on for the values of a column, in the order in which they first come; the same in every batch."""

    def __init__(self) -> None:
        self._known: pa.Array | None = None

    def of(self, column: pa.Array) -> NDArray[np.int32]:
        """The code of each value; that there is none is a value too."""
        if not pa.types.is_dictionary(column.type):
            return self._of_values(column)
        indices = column.indices
        if indices.null_count:
            return self._of_values(column.cast(column.type.value_type))
        found: NDArray[np.int32] = self._of_values(column.dictionary)[indices.to_numpy()]
        return found

    def _of_values(self, values: pa.Array) -> NDArray[np.int32]:
        if self._known is None:
            self._known = compute.unique(values)
        codes = compute.index_in(values, self._known)
        if codes.null_count:
            new = compute.unique(values.filter(codes.is_null()))
            self._known = pa.concat_arrays([self._known, new])
            codes = compute.index_in(values, self._known)
        found: NDArray[np.int32] = codes.to_numpy()
        return found


class SeriesOfRows:
    """Rows of the partition's state for rows of a table. `columns` name a series; `reader` says what they mean."""

    def __init__(self, columns: list[str], reader: RowReader, to: Destination) -> None:
        self._columns, self._reader, self._to = columns, reader, to
        self._codes: dict[tuple[str, ...], _Codes] = {}
        self.rows = np.empty(0, np.int32)
        self.flags = np.empty(0, np.uint8)
        self.beginnings = np.empty(0, BEGINNING)
        self.arena = np.empty(0, np.uint8)
        self._refusals: dict[int, WireError] = {}

    def numbers(self, batch: pa.RecordBatch) -> NDArray[np.int32]:
        """By row of the batch a number for what names its series; `rows` and `flags` have an entry for each."""
        codes: NDArray[np.int32] | None = None
        for path, column in _flat(self._columns, batch):
            more = self._coder(path).of(column)
            if codes is not None:
                more = self._coder((*path, "+")).of(pa.array(codes.astype(np.int64) << 32 | more))
            codes = more
        if codes is None:
            codes = np.zeros(batch.num_rows, np.int32)
        self._make_room(int(codes.max(initial=-1)) + 1)
        return codes

    def look_up(
        self, batch: pa.RecordBatch, numbers: NDArray[np.int32], taken: NDArray[np.uint8], lines: NDArray[np.int64]
    ) -> None:
        """Have a row for all that is taken. What is refused is counted, and no longer taken (nor left): 2."""
        if self.rows.min(initial=0) >= 0:
            return
        waiting = np.flatnonzero((self.rows[numbers] == _UNKNOWN) & (taken == 1))
        if len(waiting):
            _, first = np.unique(numbers[waiting], return_index=True)
            places = waiting[np.sort(first)]
            named = batch.take(places).select(self._columns)
            self._learn(numbers[places].tolist(), named.to_pylist(maps_as_pydicts="strict"))
        refused = np.flatnonzero((self.rows[numbers] == _REFUSED) & (taken == 1))
        if len(refused):
            taken[refused] = REFUSED
            self._count(numbers[refused], lines[refused])

    def derivable(self, numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether ids can be made for rows without one."""
        found: NDArray[np.bool_] = self.beginnings["beginning_length"][numbers] > 0
        return found

    def _learn(self, numbers: list[int], rows: list[Mapping[str, object]]) -> None:
        made, end = [self.arena.tobytes()], len(self.arena)
        for number, row in zip(numbers, rows, strict=True):
            try:
                item = self._reader.naming(row)
                self.rows[number] = self._to.resolve(item.kpi, item.dimensions, item.source)
            except WireError as error:
                self.rows[number] = _REFUSED
                self._refusals[number] = error
                continue
            self.flags[number] = item.flags
            beginning = derived_id_beginning(item.kpi, item.dimensions)
            if len(beginning) <= BEGINNING_MAX:
                self.beginnings[number] = end, len(beginning)
                made.append(beginning)
                end += len(beginning)
        self.arena = np.frombuffer(b"".join(made), np.uint8)

    def _coder(self, path: tuple[str, ...]) -> _Codes:
        return self._codes.setdefault(path, _Codes())

    def _count(self, numbers: NDArray[np.int32], lines: NDArray[np.int64]) -> None:
        for number, first, count in zip(*np.unique(numbers, return_index=True, return_counts=True), strict=True):
            self._to.refuse(self._refusals[int(number)], int(lines[first]), int(count))

    def _make_room(self, needed: int) -> None:
        more = needed - len(self.rows)
        if more > 0:
            self.rows = np.concatenate([self.rows, np.full(more, _UNKNOWN, np.int32)])
            self.flags = np.concatenate([self.flags, np.zeros(more, np.uint8)])
            self.beginnings = np.concatenate([self.beginnings, np.zeros(more, BEGINNING)])


def _flat(names: list[str], batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, ...], pa.Array]]:
    """The columns, a structure as its fields and whether it is there at all."""
    for name in names:
        column = batch.column(name)
        if pa.types.is_struct(column.type):
            yield (name, "?"), column.is_valid()
            yield from (((name, field.name), child) for field, child in zip(column.type, column.flatten(), strict=True))
        elif pa.types.is_nested(column.type):
            yield (name,), pa.array([repr(value) for value in column.to_pylist()], pa.string())
        else:
            yield (name,), column
