"""The desk of the worker in charge: every change of the notification log goes through it, written before it counts.

What is remembered of the log (`Ledger`) and what stands in it are kept in step here, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.deliver.records import Attempt, Key, Note, NoteHead, parse_key
from engine.errors import StateError
from engine.model.topics import DELIVERIES
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.deliver.journal import Journal
    from engine.deliver.ledger import Entry, Ledger
    from engine.deliver.records import Step
    from engine.notify.notification import Notification
    from engine.runtime.ports import Log

CACHED_MAX = 1_000
"""Notifications whose contents are kept at hand; others are read from the log again."""
READ_AT_ONCE = 200

_notes = msgspec.json.Decoder(Note)


class Desk:
    """The log in the hands of the worker whose term `journal` writes."""

    def __init__(self, log: Log, journal: Journal, ledger: Ledger) -> None:
        self.journal = journal
        self.ledger = ledger
        self._log = log
        self._cached: dict[int, Note] = {}

    def key(self, kind: str, *rest: object) -> bytes:
        """A key of this term."""
        return Key(self.journal.term, kind, tuple(map(str, rest))).encode()

    async def write(self, written: Sequence[Record]) -> None:
        """Append, then remember. Raises as `Journal.write`."""
        offsets = await self.journal.write(written)
        for offset, record in zip(offsets, written, strict=True):
            self._remember(offset, record)

    def _remember(self, offset: int, record: Record) -> None:
        if (key := parse_key(record.key)) is not None:
            self.ledger.apply(offset, key, record.value)

    async def take_step(self, step: Step, notes: Sequence[Note], more: Iterable[Record] = ()) -> list[Entry]:
        """The gate has made a step, out of which these notifications came: all of it stands in the log, or none."""
        written = [Record(self.key("note", note.number), msgspec.json.encode(note)) for note in notes]
        written.append(Record(self.key("step", step.number), msgspec.json.encode(step)))
        await self.write([*written, *more])
        for note in notes:
            self._cache(note)
        return [self.ledger.entries[note.number] for note in notes]

    async def begin(self, entry: Entry, receiver: str, attempt: Attempt) -> None:
        """Note that `receiver` may get it from now on. It must not be sent before this returns."""
        await self.write([Record(self.key("at", entry.head.number, receiver), msgspec.json.encode(attempt))])

    async def settle(self, entry: Entry, receiver: str, attempt: Attempt, kept: Mapping[str, bytes | None]) -> None:
        """Note that `receiver` has it, or that it was given up, and what the receiver `kept` about reviews.

        The last receiver to have it takes the notification out of the log.
        """
        head = entry.head
        mark = Record(self.key("at", head.number, receiver), msgspec.json.encode(attempt))
        written = [mark, *(Record(self.key("kept", receiver, name), value) for name, value in kept.items())]
        # Remembered before it is written: of two receivers that settle it at once, the second must see the first.
        for record in written:
            self._remember(entry.offset, record)
        if entry.is_done:
            written.extend(self._removal(head))
        await self.write(written)

    async def ask_again(self, step: Step, notes: Sequence[Note], asked: Iterable[tuple[Entry, str]]) -> list[Entry]:
        """What was parked becomes a new notification (`notes`) for the receivers that have not got it."""
        gone: list[Record] = []
        for entry, receiver in asked:
            before = entry.attempts[receiver]
            passed_on = Attempt("sent", before.attempts, before.since, "asked for again")
            gone.append(Record(self.key("at", entry.head.number, receiver), msgspec.json.encode(passed_on)))
            self._remember(entry.offset, gone[-1])
            if entry.is_done:
                gone.extend(self._removal(entry.head))
        return await self.take_step(step, notes, gone)

    def _removal(self, head: NoteHead) -> list[Record]:
        keys = [self.key("note", head.number), *(self.key("at", head.number, name) for name in head.receivers)]
        self._cached.pop(head.number, None)
        return [Record(key, None) for key in keys]

    async def contents(self, entry: Entry) -> Notification:
        """The notification itself, read from the log where it is not at hand. StateError when it is not there."""
        return (await self.note(entry)).notification

    async def note(self, entry: Entry) -> Note:
        """As `contents`, with its head."""
        note = self._cached.get(entry.head.number)
        if note is None:
            await self._read(entry.offset)
            note = self._cached.get(entry.head.number)
        if note is None:
            raise StateError(
                f"{DELIVERIES}: offset {entry.offset}: notification {entry.head.number} was expected there"
            )
        return note

    async def _read(self, offset: int) -> None:
        batch = await self._log.read(DELIVERIES, 0, offset, records_max=READ_AT_ONCE)
        for record in () if batch is None else records(batch):
            key = parse_key(record.key)
            if key is None or key.term != self.journal.term or key.kind != "note" or record.value is None:
                continue
            note = _notes.decode(record.value)
            entry = self.ledger.entries.get(note.number)
            if entry is not None and entry.offset == record.offset and (entry.is_open or record.offset == offset):
                self._cache(note, wanted=record.offset == offset)

    def _cache(self, note: Note, *, wanted: bool = True) -> None:
        if len(self._cached) >= CACHED_MAX:
            if not wanted:
                return
            del self._cached[next(iter(self._cached))]
        self._cached[note.number] = note
