"""What could not be delivered, as anybody may read it from the notification log, and the request to try it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.deliver.records import REQUEST, Attempt, Note, Request
from engine.deliver.takeover import Follower, read_these
from engine.model.identity import digest
from engine.model.topics import DELIVERIES
from engine.notify.matchers import matches
from engine.runtime.ports import Output
from engine.wire.batch import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.audit import Matcher
    from engine.notify.notification import Notification
    from engine.runtime.ports import Log


class Parked(NamedTuple):
    """A notification that `receiver` has not got."""

    number: int
    receiver: str
    attempt: Attempt
    notification: Notification

    @property
    def labels(self) -> dict[str, str]:
        """What selectors are held against: the notification's labels, `receiver` and `id`."""
        return {**self.notification.labels, "receiver": self.receiver, "id": self.notification.id}


async def find_parked(log: Log, matchers: Sequence[Matcher] = ()) -> list[Parked]:
    """What is parked and meets all of `matchers`, in the order in which it came."""
    follower = Follower(log)
    await follower.read_to(await log.end(DELIVERIES, 0))
    ledger = follower.found.ledger
    if ledger is None:
        return []
    parked = list(ledger.parked())
    records = await read_these(log, sorted({entry.offset for entry, _, _ in parked}))
    notes = {record.offset: msgspec.json.decode(record.value or b"", type=Note) for record in records}
    found = [
        Parked(entry.head.number, receiver, attempt, notes[entry.offset].notification)
        for entry, receiver, attempt in parked
    ]
    return [each for each in found if matches(matchers, each.labels)]


async def ask_again(log: Log, parked: Sequence[Parked], who: str, time: str) -> None:
    """Ask the delivery worker, which may run later, to try these again."""
    request = Request(who, time, tuple((each.number, each.receiver) for each in parked))
    key = f"{REQUEST}/{digest(who, time)}".encode()
    await log.append([Output(DELIVERIES, 0, Record(key, msgspec.json.encode(request)))])
