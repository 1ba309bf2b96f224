"""Files of lines: measurements as they stand on the topic, rows of any fields, and messages of a mapped source."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine.client.files import object_of
from engine.client.rows import MeasurementReader, RowReader
from engine.decode.scanner import ScanningDecoder
from engine.errors import WireError
from engine.kernels.lines import BYTES, LAST, LINES, RECORD_ROOM, RECORDS, records_of
from engine.model.topics import MEASUREMENTS
from engine.offline.backtest.columns import copied, joined, nothing
from engine.offline.backtest.items import ItemBlock
from engine.rules.mapping import Mapped, Position, map_message
from engine.wire.batch import Batch
from engine.wire.columns import Rejected
from engine.wire.records import sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.client.rows import Columns as ColumnNames
    from engine.offline.backtest.items import Destination
    from engine.rules.resolved.source import Source
    from engine.rules.ruleset import RuleSet
    from engine.wire.columns import Columns

    Progressed = tuple[Columns, float]

BYTES_AT_ONCE = 8 * 1024 * 1024
_LINES_AT_ONCE = 20_000


def read_messages(to: Destination) -> Iterator[Progressed]:
    """Measurements a line, decoded as a worker does it, with the share of the file that was read."""
    messages = _Messages(to)
    size, held = to.path.stat().st_size, b""
    with to.path.open("rb") as file:
        while data := file.read(BYTES_AT_ONCE):
            end = data.rfind(b"\n") + 1
            whole, held = (held + data[:end], data[end:]) if end else (b"", held + data)
            yield messages.decode(whole), file.tell() / size
    yield messages.decode(held), 1.0


class _Messages:
    """Decodes whole lines of a file; the offset of a measurement is its line."""

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._decoder = ScanningDecoder()
        self._line = 1

    def decode(self, data: bytes) -> Columns:
        parts = []
        for chunk in self._decoder.decode(self._batch(data), self._to.resolve):
            for aside in chunk.asides:
                if isinstance(aside, Rejected):
                    self._to.refuse(aside.error, aside.offset)
            parts.append(chunk.columns._replace(offset=chunk.columns.offset + self._to.place(0)))
        return copied(joined(parts)) if parts else nothing()  # the decoder writes the next ones into the same arrays

    def _batch(self, data: bytes) -> Batch:
        counts = np.zeros(4, np.int64)
        room = len(data) + RECORD_ROOM * (data.count(b"\n") + 1)
        out = np.empty(room, np.uint8)
        records_of(np.frombuffer(data, np.uint8), out, counts)
        base = self._line
        last = base + int(counts[LAST])
        self._line += int(counts[LINES])
        payload = out[: counts[BYTES]].tobytes()
        whole = sealed(payload, int(counts[RECORDS]), base, int(counts[LAST])) if counts[RECORDS] else b""
        return Batch(MEASUREMENTS, 0, base, last if whole else base - 1, last + 1, whole)


def read_objects(named: ColumnNames, to: Destination) -> Iterator[Progressed]:
    """Objects a line, of any fields where `named` says which is what; one by one."""
    plain = not (named.kpi or named.time or named.value or named.dimensions or named.id)
    reader: RowReader | MeasurementReader | None = MeasurementReader(named) if plain else None
    for lines, share in _stretches(to):
        block = ItemBlock(to)
        for line, message in lines:
            try:
                row = object_of(message)
                reader = RowReader(named, row) if reader is None else reader
                block.read([(line, row)], reader)
            except WireError as error:
                to.refuse(error, line)
        yield block.columns(), share


def read_mapped(source: Source, rule_set: RuleSet, to: Destination) -> Iterator[Progressed]:
    """Messages of a foreign topic a line, mapped as the ingest agent does it; one by one."""
    for lines, share in _stretches(to):
        block = ItemBlock(to)
        for line, message in lines:
            for found in map_message(source, rule_set, message, Position(source.topic, 0, line - 1)):
                try:
                    if isinstance(found, Mapped):
                        block.add(found.item, line)
                    else:
                        to.refuse(found.error, line)
                except WireError as error:
                    to.refuse(error, line)
        yield block.columns(), share


def _stretches(to: Destination) -> Iterator[tuple[list[tuple[int, bytes]], float]]:
    """Lines that are not blank with their numbers, some at once, and the share of the file that was read."""
    size = to.path.stat().st_size
    with to.path.open("rb") as file:
        lines = enumerate(file, 1)
        while held := list(islice(lines, _LINES_AT_ONCE)):
            yield [(number, line) for number, line in held if line.strip()], file.tell() / size
