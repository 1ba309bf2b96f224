"""What of a log had come by a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import WireError
from engine.model.records import Progress, ReviewCommand, Tick
from engine.model.time import parse_own_time
from engine.offline.backtest.columns import chosen
from engine.runtime.ports import Position
from engine.wire.columns import Chunk
from engine.wire.encode import decode_finding_record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.wire.batch import Batch, LogRecord


class Until:
    """Cuts the log at `at` (None: nowhere): before the first tick past it, and in a `replay`, whose clock moves with
    the data, before the first measurement past it.
    """

    def __init__(self, at: Micros | None, *, replay: bool) -> None:
        self._at, self._replay = at, replay
        self._passed: set[int | None] = set()

    def is_past(self, time: str) -> bool:
        """Whether a time of the engine's own lies past it."""
        return self._at is not None and parse_own_time(time) > self._at

    def had_come(self, chunk: Chunk) -> Chunk:
        """What of measurements had come; the chunk itself: all of it."""
        control, columns = None if chunk.control is None else chunk.control.record, chunk.columns
        later = [] if self._at is None or not self._replay else np.flatnonzero(columns.time > self._at).tolist()
        if later:
            return Chunk(chosen(columns, slice(0, later[0])), (), None)
        return chunk._replace(control=None) if isinstance(control, Tick) and self.is_past(control.time) else chunk

    def stretches(self, batch: Batch) -> Iterator[Batch]:
        """What of findings had come: the partitions of stage 1 write beside each other, each with its own ticks."""
        begin = end = batch.first_offset
        for record in records(batch):
            if self._is_later(record):
                if end > begin:
                    yield batch._replace(first_offset=begin, last_offset=end - 1, next_offset=end)
                begin = record.offset + 1
            end = record.offset + 1
        if end > begin:
            yield batch._replace(first_offset=begin, last_offset=end - 1, next_offset=end)

    def _is_later(self, record: LogRecord) -> bool:
        try:
            told = decode_finding_record(record.value)
        except WireError:
            return False
        position = dict(record.headers).get(Position.HEADER)
        partition = None if position is None else Position.decode(position).partition
        if isinstance(told, Progress | Tick | ReviewCommand) and self.is_past(told.time):
            self._passed |= set() if partition is None else {partition}
            return True
        return partition in self._passed
