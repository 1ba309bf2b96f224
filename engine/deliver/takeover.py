"""How a worker comes to be the one that delivers, and what it goes on from.

It follows the notification log until nobody is in charge any more: the one before it has left, is the same worker
before a crash (by name), or has written nothing for the time of the lease. Then it claims the log, and writes all that
stood there before its claim under its own term. Until that is complete the term before it counts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from engine.deliver.desk import Desk
from engine.deliver.journal import Journal
from engine.deliver.ledger import Ledger
from engine.deliver.records import CLAIM_KEY, Claim, Key, Ready, is_request, parse_key
from engine.errors import StateError
from engine.model.time import format_time
from engine.model.topics import DELIVERIES
from engine.runtime.ports import Output
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engine.model.time import Micros
    from engine.runtime.ports import Log
    from engine.wire.batch import LogRecord

Item = TypeVar("Item")
POLL_SECONDS = 0.5
AT_ONCE = 200


class Found(NamedTuple):
    """What stood in the log: the ledger that counts (None: none was ever complete), and what was asked for."""

    ledger: Ledger | None
    requests: list[LogRecord]


class Follower:
    """Reads the notification log from its start, as it grows."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._at: int | None = None
        self._terms: dict[int, Ledger] = {}
        self._requests: dict[bytes, LogRecord] = {}
        self.claim: Claim | None = None

    async def read_to(self, end: int) -> bool:
        """Read on up to `end`; whether there was anything."""
        if self._at is None:
            self._at = await self._log.start(DELIVERIES, 0)
        begun = self._at
        while self._at < end and (batch := await self._log.read(DELIVERIES, 0, self._at)) is not None:
            for record in records(batch):
                if record.offset < end:
                    self._take(record)
            self._at = min(batch.next_offset, end)
        return self._at > begun

    def _take(self, record: LogRecord) -> None:
        try:
            if record.key == CLAIM_KEY and record.value is not None:
                self.claim = msgspec.json.decode(record.value, type=Claim)
            elif is_request(record.key) and record.key is not None:
                self._requests.pop(record.key, None)
                if record.value is not None:
                    self._requests[record.key] = record
            elif (key := parse_key(record.key)) is not None:
                self._terms.setdefault(key.term, Ledger()).apply(record.offset, key, record.value)
        except (msgspec.MsgspecError, ValueError) as error:
            raise StateError(f"{DELIVERIES}: offset {record.offset}: {error}; is a newer version at work?") from error

    @property
    def found(self) -> Found:
        """What counts of that which was read."""
        complete = [term for term, ledger in self._terms.items() if ledger.ready is not None]
        return Found(self._terms[max(complete)] if complete else None, list(self._requests.values()))

    @property
    def keys(self) -> Iterator[bytes]:
        """Every key of any term that has a value."""
        for ledger in self._terms.values():
            yield from sorted(ledger.keys)


async def wait_for_turn(
    log: Log, worker: str, *, lease: Micros, clock: Callable[[], Micros], waiting: Callable[[str], None]
) -> Follower:
    """Return when nobody else delivers. `clock` only goes forward; `waiting` is told once, by whom it is kept waiting.

    A worker of the same name is this one before it was started again.
    """
    follower, told = Follower(log), False
    await follower.read_to(await log.end(DELIVERIES, 0))
    seen = clock()
    while (claim := follower.claim) is not None and not claim.left and claim.worker != worker:
        if clock() - seen >= lease:
            return follower
        if not told:
            waiting(claim.worker)
            told = True
        await asyncio.sleep(POLL_SECONDS)
        if await follower.read_to(await log.end(DELIVERIES, 0)):
            seen = clock()
    return follower


async def take_over(log: Log, follower: Follower, worker: str, now: Micros, hash_key: str) -> Desk:
    """Claim the log for `worker` and make all that stood there its own. `hash_key` is used where there is none yet."""
    claim = Claim(worker, format_time(now))
    [(_, term)] = await log.append([Output(DELIVERIES, 0, Record(CLAIM_KEY, msgspec.json.encode(claim)))])
    await follower.read_to(term)
    found = follower.found
    desk = Desk(log, Journal(log, term), Ledger())
    desk.journal.requests.extend(found.requests)
    before = found.ledger
    if before is not None:
        for chunk in _chunks(_state(before)):
            await desk.write([Record(_under(term, record.key), record.value) for record in chunk])
        await _copy_notes(log, desk, before)
        await _copy_pages(log, desk, before)
    ready = Ready(hash_key) if before is None or before.ready is None else before.ready
    await desk.write([Record(desk.key("ready"), msgspec.json.encode(ready))])
    for chunk in _chunks(Record(key, None) for key in follower.keys):
        await desk.journal.write(chunk)
    return desk


def _state(before: Ledger) -> Iterator[Record]:
    """Steps, the gate's description and what receivers keep."""
    for step in before.steps.values():
        yield Record(Key(0, "step", (str(step.number),)).encode(), msgspec.json.encode(step))
    if before.dump is not None:
        yield Record(Key(0, "gate").encode(), msgspec.json.encode(before.dump))
    for receiver, kept in before.kept.items():
        for review, value in kept.items():
            yield Record(Key(0, "kept", (receiver, review)).encode(), value)


async def _copy_notes(log: Log, desk: Desk, before: Ledger) -> None:
    """What is not settled, with how far it is; a notification whose step is not there was never sent."""
    step = before.step
    limit = 0 if step is None else step.next_note
    wanted = {entry.offset: entry for entry in before.entries.values() if entry.head.number < limit}
    left = [offset for offset in sorted(wanted) if not wanted[offset].is_done]
    for records_found in _chunks(left):
        copied: list[Record] = []
        for record in await read_these(log, records_found):
            entry = wanted[record.offset]
            copied.append(Record(_under(desk.journal.term, record.key), record.value))
            copied.extend(
                Record(desk.key("at", entry.head.number, name), msgspec.json.encode(attempt))
                for name, attempt in entry.attempts.items()
            )
        await desk.write(copied)


async def _copy_pages(log: Log, desk: Desk, before: Ledger) -> None:
    if before.dump is None:
        return
    wanted = [before.pages[before.dump.generation, page] for page in range(before.dump.pages)]
    for record in await read_these(log, wanted):
        await desk.write([Record(_under(desk.journal.term, record.key), record.value)])


async def read_these(log: Log, offsets: list[int]) -> list[LogRecord]:
    """The records at these offsets, in their order; StateError when one is not there."""
    found: dict[int, LogRecord] = {}
    for offset in offsets:
        if offset not in found and (batch := await log.read(DELIVERIES, 0, offset, records_max=AT_ONCE)) is not None:
            found.update((record.offset, record) for record in records(batch))
    if missing := [offset for offset in offsets if offset not in found]:
        raise StateError(f"{DELIVERIES}: expected records at the offsets {missing[:5]}, they are gone")
    return [found[offset] for offset in offsets]


async def gate_dump(log: Log, ledger: Ledger) -> bytes | None:
    """The pages of the gate that was written last, put together."""
    if ledger.dump is None:
        return None
    places = [ledger.pages[ledger.dump.generation, page] for page in range(ledger.dump.pages)]
    return b"".join(record.value or b"" for record in await read_these(log, places))


def _under(term: int, key: bytes | None) -> bytes:
    """The same key of another term."""
    parsed = parse_key(key)
    if parsed is None:
        raise StateError(f"{DELIVERIES}: expected a key of a term, found {key!r}")
    return parsed._replace(term=term).encode()


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
