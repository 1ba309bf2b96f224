"""The scanner: the `Decoder` that makes no Python object per measurement.

It takes what it knows to be right, and stops at a spelling of a series that it has not met: once that is resolved, it
goes on. Everything else (an escape, a list of measurements, whatever is wrong) it lets the reference decoder deal with,
and goes on behind it. So it never takes what the reference refuses, and never yields another value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.decode.draft import Draft
from engine.decode.memory import SpellingMemory
from engine.decode.naming import naming_of
from engine.decode.reading import Reading
from engine.errors import WireError
from engine.kernels.scan.scan import ENDED, UNKNOWN, keep_beginning
from engine.model.identity import derived_id_beginning
from engine.model.limits import Limits
from engine.wire.columns import FOREIGN
from engine.wire.reference import ReferenceDecoder
from engine.wire.stretch import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.wire.batch import Batch
    from engine.wire.columns import Chunk, Resolver

RUN_MAX = 16
"""The most records that go to the reference decoder at a time. A run doubles as long as there is nothing between two of
them for the scanner to take: stopping costs as much as a record."""


class ScanningDecoder:
    """The compiled `Decoder`. It remembers the rows of series: call `forget` when rows are given out anew."""

    def __init__(self, limits: Limits | None = None, *, run_max: int = RUN_MAX) -> None:
        self._run_max = run_max
        limits = limits or Limits()
        self._bytes_max = limits.message_bytes_max
        self._dimensions_max = limits.dimensions_max
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
        while self._scan(reading, resolve):
            run = 1 if draft.count > before else min(2 * run, self._run_max)
            stretch = Stretch()
            for entry in reading.left(run):
                self.left += 1
                control = self._reference.take(stretch, entry, resolve)
                if control:
                    draft.extend(stretch)
                    yield draft.chunk(control)
                    reading.begin_stretch()
                    stretch = Stretch()
            draft.extend(stretch)
            before = draft.count
        if draft:
            yield draft.chunk(None)

    def _scan(self, reading: Reading, resolve: Resolver) -> bool:
        """Take what can be taken, and get to know new spellings. False at the end, True where a record is left."""
        while (why := reading.scan(self._memory.spellings)) == UNKNOWN:
            if not self._learn(reading, resolve):
                return True
        return why != ENDED

    def _learn(self, reading: Reading, resolve: Resolver) -> bool:
        """Whether the spelling at which the pass stopped is known now. What is wrong with others the reference says."""
        unknown = reading.unknown()
        naming = naming_of(unknown.message, unknown.dimensions, self._dimensions_max)
        if naming is None:
            return False
        try:
            row = resolve(naming.kpi, naming.dimensions, naming.source)
        except WireError:
            return False
        if row == FOREIGN:
            return False
        self._memory.make_room(len(unknown.message))
        number = reading.learn(self._memory.spellings, row)
        if number < 0:
            return True
        beginning = np.frombuffer(derived_id_beginning(naming.kpi, naming.dimensions), np.uint8)
        return bool(keep_beginning(self._memory.spellings, number, beginning))
