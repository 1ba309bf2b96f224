"""One batch being read: the kernels' pass over it, and the records at which the pass stopped, as Python has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.kernels.scan.framing import (
    BASE,
    BEGIN,
    CORRUPT,
    CURSOR,
    END,
    NEXT,
    OFFSET,
    RECORDS,
    SPAN,
    SPECIAL,
    VALUE,
    VALUE_END,
    begin,
    frame_some,
    give_up,
)
from engine.kernels.scan.message import MESSAGE
from engine.kernels.scan.scan import Scope, learn_from, scan
from engine.wire.frames import Frame, laid_out
from engine.wire.records import parse
from engine.wire.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.decode.draft import Draft
    from engine.kernels.scan.spellings import Spellings
    from engine.wire.batch import Batch
    from engine.wire.records import Entry


class Unknown(NamedTuple):
    """The message at which a pass stopped because it spells its series in a new way, and its dimensions as spelt."""

    message: bytes
    dimensions: bytes


class Reading:
    """`scan` and `left` in turn go through the records of a batch; what the former takes goes into `draft`.

    Raises as `wire.frames.laid_out` does.
    """

    def __init__(self, batch: Batch, bytes_max: int, draft: Draft) -> None:
        layout = laid_out(batch)
        self._bytes = layout.data
        self._data = np.frombuffer(layout.data, np.uint8)
        self._segments = layout.segments
        self._scope = Scope(batch.first_offset, batch.last_offset, EARLIEST, LATEST, bytes_max)
        self._room = int(layout.segments[:, RECORDS].sum())
        self._cursors = np.zeros(1, CURSOR)
        self._messages = np.zeros(1, MESSAGE)
        begin(self._segments, self._cursors)
        self._draft = draft
        draft.begin(self._data, self._room)

    def scan(self, spellings: Spellings) -> int:
        """Take what can be taken; returns why it stopped: ENDED, UNKNOWN, or anything else where a record is left."""
        out = self._draft.out
        return int(scan(self._data, self._segments, self._cursors, self._messages, spellings, self._scope, out))

    def unknown(self) -> Unknown:
        """What `scan` stopped at as UNKNOWN."""
        cursor, message = self._cursors[0], self._messages[0]
        start, length = int(message["dimensions"]), int(message["dimensions_length"])
        value = self._bytes[int(cursor["value"]) : int(cursor["value_end"])]
        return Unknown(value, self._bytes[start : start + length] if length > 0 else b"")

    def learn(self, spellings: Spellings, row: int) -> int:
        """Remember that it names the series in `row`; there must be room for it. Returns the spelling that wants to
        know how its derived ids begin, or -1.
        """
        return int(learn_from(self._data, self._messages, spellings, row))

    def left(self, count: int) -> Iterator[Entry]:
        """The records from where the pass stopped on, at most `count`; the pass goes on behind them.

        WireError `corrupt_batch` where one is damaged.
        """
        spans = np.empty((count, SPAN), np.int64)
        framed, why = frame_some(self._data, self._segments, self._cursors, spans)
        for span in spans[:framed].tolist():
            yield from self._within(self._found(span))
        if why == CORRUPT:
            yield from self._within(*self._damaged())

    def _within(self, *found: Entry) -> Iterator[Entry]:
        return (each for each in found if self._scope.first <= each[0] <= self._scope.last)

    def _found(self, span: list[int]) -> Entry:
        if span[SPECIAL]:
            frame = Frame(span[OFFSET], 1, self._bytes[span[BEGIN] : span[NEXT]])
            (_, key, value, headers), *_ = parse(frame)
            return span[OFFSET], key, value, headers
        value = None if span[VALUE] < 0 else self._bytes[span[VALUE] : span[VALUE_END]]
        return span[OFFSET], None, value, ()

    def _damaged(self) -> list[Entry]:
        """What the reference makes of the rest of a batch in which a record does not end as it says: it raises."""
        cursor = self._cursors[0]
        segment = self._segments[cursor["segment"]]
        rest = self._bytes[cursor["position"] : segment[END]]
        entries = list(parse(Frame(int(segment[BASE]), int(cursor["left"]), rest)))
        give_up(self._cursors)
        return entries

    def begin_stretch(self) -> None:
        """The stretch up to here was handed on; another one begins."""
        self._draft.begin(self._data, self._room)
