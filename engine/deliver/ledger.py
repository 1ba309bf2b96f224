"""The notification log of one term as it is remembered: what is to be delivered, and how far each receiver is.

The same `apply` takes what is read back at a start and what this worker has just written.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from engine.deliver.records import Attempt, GateDump, Key, NoteHead, Ready, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    K = TypeVar("K")
    V = TypeVar("V")

_heads = msgspec.json.Decoder(NoteHead)
_attempts = msgspec.json.Decoder(Attempt)
_steps = msgspec.json.Decoder(Step)


class Entry:
    """A notification that some receiver has not settled: where its contents stand, and each receiver's last attempt."""

    __slots__ = ("attempts", "head", "offset")

    def __init__(self, head: NoteHead, offset: int) -> None:
        self.head = head
        self.offset = offset
        self.attempts: dict[str, Attempt] = {}

    def is_settled(self, receiver: str) -> bool:
        """Whether the receiver has it, or it was given up."""
        attempt = self.attempts.get(receiver)
        return attempt is not None and attempt.phase != "sending"

    @property
    def is_open(self) -> bool:
        """Whether some receiver has not settled it."""
        return not all(self.is_settled(receiver) for receiver in self.head.receivers)

    @property
    def is_done(self) -> bool:
        """Whether every receiver has it, so that nobody will ask for it again."""
        attempts = self.attempts
        return all(name in attempts and attempts[name].phase == "sent" for name in self.head.receivers)


class Ledger:
    """What stands under one term. Offsets are of the log, so that contents can be read when they are needed."""

    def __init__(self) -> None:
        self.ready: Ready | None = None
        self.entries: dict[int, Entry] = {}
        self.steps: dict[int, Step] = {}
        self.dump: GateDump | None = None
        self.pages: dict[tuple[int, int], int] = {}
        self.kept: dict[str, dict[str, bytes]] = {}
        """What receivers keep about reviews, by receiver and review."""
        self.keys: set[bytes] = set()
        """Every key that has a value."""
        self.open: Counter[str] = Counter()
        """How many notifications each receiver has not settled."""

    @property
    def step(self) -> Step | None:
        """The newest step."""
        return self.steps[max(self.steps)] if self.steps else None

    def apply(self, offset: int, key: Key, value: bytes | None) -> None:
        """Take a record of this term. msgspec.MsgspecError when it is none."""
        (self.keys.discard if value is None else self.keys.add)(key.encode())
        match key.kind, key.rest:
            case "note", (number,):
                self._note(offset, int(number), value)
            case "at", (number, receiver):
                self._attempt(int(number), receiver, value)
            case "step", (number,):
                _put(self.steps, int(number), None if value is None else _steps.decode(value))
            case "gate", ():
                self.dump = None if value is None else msgspec.json.decode(value, type=GateDump)
            case "page", (generation, page):
                _put(self.pages, (int(generation), int(page)), None if value is None else offset)
            case "kept", (receiver, review):
                _put(self.kept.setdefault(receiver, {}), review, value)
            case "ready", ():
                self.ready = None if value is None else msgspec.json.decode(value, type=Ready)
            case _:
                pass  # `alive`, and whatever a later version writes

    def _note(self, offset: int, number: int, value: bytes | None) -> None:
        gone = self.entries.pop(number, None)
        if gone is not None:
            self.open.subtract(name for name in gone.head.receivers if not gone.is_settled(name))
        if value is not None:
            entry = self.entries[number] = Entry(_heads.decode(value), offset)
            self.open.update(entry.head.receivers)

    def _attempt(self, number: int, receiver: str, value: bytes | None) -> None:
        entry = self.entries.get(number)
        if entry is None:
            return  # its note went with it
        before = entry.is_settled(receiver)
        entry.attempts.pop(receiver, None)
        if value is not None:
            entry.attempts[receiver] = _attempts.decode(value)
        if receiver in entry.head.receivers:
            self.open[receiver] += int(before) - int(entry.is_settled(receiver))

    def unsettled(self, receiver: str) -> Iterator[Entry]:
        """What the receiver is still to be told, in order."""
        for number in sorted(self.entries):
            entry = self.entries[number]
            if receiver in entry.head.receivers and not entry.is_settled(receiver):
                yield entry

    def parked(self) -> Iterator[tuple[Entry, str, Attempt]]:
        """What was given up, with the receiver that has not got it."""
        for number in sorted(self.entries):
            entry = self.entries[number]
            for receiver, attempt in entry.attempts.items():
                if attempt.phase == "parked":
                    yield entry, receiver, attempt

    def settled_below(self, partitions: Iterable[int]) -> dict[int, int]:
        """For each partition of triggers the offset below which every receiver has settled everything."""
        step = self.step
        found = {} if step is None else {number: step.positions.get(number, 0) for number in partitions}
        for entry in self.entries.values():
            head = entry.head
            if head.partition in found and head.offset is not None and entry.is_open:
                found[head.partition] = min(found[head.partition], head.offset)
        return found


def _put(held: dict[K, V], key: K, value: V | None) -> None:
    held.pop(key, None)
    if value is not None:
        held[key] = value
