"""Row by row: what is not taken as columns, and says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import WireError
from engine.model.identity import derived_measurement_id
from engine.offline.backtest.refusals import place_of
from engine.wire.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from engine.client.rows import MeasurementReader, RowReader
    from engine.offline.backtest.refusals import Refusals
    from engine.wire.columns import Columns, Resolver
    from engine.wire.item import Item


class Destination:
    """Where the measurements of one file go: `resolve` knows their series, `refusals` counts what is none."""

    def __init__(self, path: Path, number: int, resolve: Resolver, refusals: Refusals) -> None:
        self.path, self.number, self.resolve, self.refusals = path, number, resolve, refusals

    def place(self, line: int) -> int:
        """The offset of what stands in a line of this file."""
        return place_of(self.number, line)

    def refuse(self, error: WireError, line: int, rows: int = 1) -> None:
        """Count rows that are refused."""
        self.refusals.add(error, self.path, line, rows)


class ItemBlock:
    """A stretch of a file in the making."""

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._stretch = Stretch()

    def add(self, item: Item, line: int) -> None:
        """Take a measurement; WireError when its series is refused."""
        row = self._to.resolve(item.kpi, item.dimensions, item.source)
        identifier = item.id or derived_measurement_id(item.kpi, item.dimensions, item.time)
        place = self._to.place(line)
        self._stretch.add(row, item.time, item.value, identifier.encode(), item.revision, item.flags, place, 0)

    def read(self, rows: Iterable[tuple[int, Mapping[str, object]]], reader: RowReader | MeasurementReader) -> None:
        """Take rows with their lines; what is refused is counted."""
        for line, row in rows:
            try:
                if reader.passes_over(row):
                    self._to.refusals.passed_over += 1
                else:
                    self.add(reader.read(row), line)
            except WireError as error:
                self._to.refuse(error, line)

    def columns(self) -> Columns:
        """All that was taken."""
        return self._stretch.chunk(None).columns
