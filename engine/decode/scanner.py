"""The scanner: the `Decoder` that makes no Python object per measurement.

It takes what it knows to be right, stops at everything else (a series that it has not met, an escape, a list of
measurements, whatever is wrong), lets the reference decoder deal with that record, and goes on behind it. So it never
takes what the reference refuses, and never yields another value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from engine.decode.draft import Draft
from engine.decode.memory import SpellingMemory
from engine.decode.reading import Reading
from engine.kernels.scan.scan import keep_beginning
from engine.model.identity import derived_id_beginning
from engine.model.limits import Limits
from engine.wire.reference import ReferenceDecoder
from engine.wire.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.decode.reading import Found
    from engine.wire.batch import Batch
    from engine.wire.columns import Chunk, Control, Resolver

RUN_MAX = 16
"""The most records that go to the reference decoder at a time. A run doubles as long as there is nothing between two of
them for the scanner to take: stopping costs as much as a record."""


class ScanningDecoder:
    """The compiled `Decoder`. It remembers the rows of series: call `forget` when rows are given out anew."""

    def __init__(self, limits: Limits | None = None, *, run_max: int = RUN_MAX) -> None:
        self._run_max = run_max
        self._bytes_max = (limits or Limits()).message_bytes_max
        self._reference = ReferenceDecoder(limits)
        self._memory = SpellingMemory()
        self._draft = Draft()
        self.left = 0
        """Records that the reference decoder dealt with."""

    def forget(self) -> None:
        """Ask the resolver anew for every series."""
        self._reference.forget()
        self._memory.forget()

    def message_at(self, offset: int) -> bytes:
        """As `Decoder.message_at`."""
        return self._reference.message_at(offset)

    def decode(self, batch: Batch, resolve: Resolver) -> Iterator[Chunk]:
        """As `Decoder.decode`; a last chunk with nothing in it is left out. WireError only for a faulty batch."""
        self._reference.hold(batch)
        draft, run, before = self._draft, 1, -1
        reading = Reading(batch, self._bytes_max, draft)
        while reading.scan(self._memory.spellings):
            run = 1 if draft.count > before else min(2 * run, self._run_max)
            stretch = Stretch()
            for found in reading.left(run):
                control = self._take(stretch, found, reading, resolve)
                if control:
                    draft.extend(stretch)
                    yield draft.chunk(control)
                    reading.begin_stretch()
                    stretch = Stretch()
            draft.extend(stretch)
            before = draft.count
        if draft:
            yield draft.chunk(None)

    def _take(self, stretch: Stretch, found: Found, reading: Reading, resolve: Resolver) -> Control | None:
        """Let the reference decoder take a record; learn its spelling where that is one measurement."""
        before = len(stretch)
        self.left += 1
        control = self._reference.take(stretch, found.entry, resolve)
        if control is None and len(stretch) == before + 1:
            self._learn(found, reading, stretch.last_row)
        return control

    def _learn(self, found: Found, reading: Reading, row: int) -> None:
        self._memory.make_room(found.end - found.start)
        number = reading.learn(self._memory.spellings, found, row)
        if number >= 0:
            told = _spelling.decode(found.entry[2] or b"")
            beginning = np.frombuffer(derived_id_beginning(told.kpi, told.dimensions), np.uint8)
            keep_beginning(self._memory.spellings, number, beginning)


class _Spelling(msgspec.Struct):
    """Of an accepted message, what names its series."""

    kpi: str
    dimensions: dict[str, str] = {}


_spelling = msgspec.json.Decoder(_Spelling)
