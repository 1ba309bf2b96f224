"""What stands in the topic `deliveries`: the notification log.

Every key begins with the term of the worker that wrote it (the offset of its claim), but for claims and requests. Only
the records of the highest term that is complete (`ready`) count: what a worker writes that was paused, and came back
after another had taken over, is read by nobody.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from engine.model.time import Micros
from engine.notify.notification import Notification

CLAIM_KEY = b"claim"
REQUEST = "request"


class Claim(msgspec.Struct, frozen=True):
    """`worker` delivers from now on; with `left` it has ended in order, and anybody may."""

    worker: str
    time: str
    left: bool = False


class Ready(msgspec.Struct, frozen=True):
    """All that was known when the term was claimed stands under it. `hash_key` hides sensitive values (hex)."""

    hash_key: str


class Step(msgspec.Struct, frozen=True):
    """What the gate had taken after its `number`-th step: of each partition of triggers and of silences all below an
    offset. `now` is the tick that it was given, `next_note` the number of the next notification.
    """

    number: int
    now: Micros
    positions: dict[int, int]
    silences: int
    next_note: int


class GateDump(msgspec.Struct, frozen=True):
    """The gate after a step, in so many pages of its `generation`."""

    step: int
    generation: int
    pages: int


class NoteHead(msgspec.Struct, frozen=True):
    """A `Note` without its contents: what is kept in memory of it.

    `line`: what is told of one line (a review) is told in order. `partition`, `offset`: where its trigger stands.
    `again`: it is told once more because somebody asked for it.
    """

    number: int
    receivers: tuple[str, ...]
    line: str
    partition: int | None = None
    offset: int | None = None
    again: bool = False


class Note(msgspec.Struct, frozen=True):
    """A notification, numbered in the order in which it came, for `receivers`."""

    number: int
    receivers: tuple[str, ...]
    line: str
    notification: Notification
    partition: int | None = None
    offset: int | None = None
    again: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """How a notification fares with one receiver.

    `sending`: it may have got it; `sent`: it has; `parked`: it was given up, `error` says why. `since`: the first
    attempt.
    """

    phase: Literal["sending", "sent", "parked"]
    attempts: int
    since: str
    error: str | None = None


class Request(msgspec.Struct, frozen=True):
    """Somebody wants what is parked to be tried again: (number of the note, receiver) each."""

    who: str
    time: str
    targets: tuple[tuple[int, str], ...]


class Key(NamedTuple):
    """A key of the log, taken apart: `17/at/4/ops-mail` is (17, `at`, (`4`, `ops-mail`))."""

    term: int
    kind: str
    rest: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """As it stands in the log."""
        return "/".join((str(self.term), self.kind, *self.rest)).encode()


def parse_key(key: bytes | None) -> Key | None:
    """A term's key; None for claims, requests, and whatever else."""
    term, _, rest = (key or b"").decode("utf-8", "replace").partition("/")
    if not term.isdecimal() or not rest:
        return None
    kind, *parts = rest.split("/")
    return Key(int(term), kind, tuple(parts))


def is_request(key: bytes | None) -> bool:
    """Whether a record with this key is a `Request`."""
    return (key or b"").startswith(f"{REQUEST}/".encode())
