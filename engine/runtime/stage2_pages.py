"""The state of stage 2 as pages: what was reached, what waits for barriers, the encoded reviews and joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import xxhash

from engine.correlate.barrier import Barriers, Waiting
from engine.correlate.correlator import Joined
from engine.correlate.formulas import Working
from engine.errors import StateError
from engine.model.records import Activate
from engine.model.time import Micros
from engine.review.governance import Kept
from engine.review.review import Review
from engine.runtime.finding_places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUCKETS = 256
"""Pages of reviews, of joins and of formulas: a (rule, scope) always stands in the same one."""
_WAITING_PER_PAGE = 500

Key = tuple[str, str]


class Reached(msgspec.Struct):
    """The first page. `tick` and `tick_time`: the last live tick of this partition. `times`: of each clock. `pending`:
    activations to come. `answered`: the last word of each findings partition about verdicts.
    """

    rule_set: str
    activation: int
    closings: int
    tick: int | None
    tick_time: Micros | None
    times: dict[int, Micros]
    pending: list[Activate]
    barriers: Barriers
    waiting_pages: int
    answered: dict[int, Place]
    kept: dict[str, Kept]


class Restored(NamedTuple):
    """All pages, read."""

    reached: Reached
    waiting: list[Waiting]
    reviews: dict[Key, list[Review]]
    joined: dict[Key, Joined]
    workings: dict[Key, Working]


def read_pages(pages: Mapping[str, bytes]) -> Restored:
    """StateError when the pages are not all there or not readable."""
    try:
        reached = _reached_decoder.decode(pages["reached"])
        waiting = [
            each
            for number in range(reached.waiting_pages)
            for each in _waiting_decoder.decode(pages[f"waiting/{number:06d}"])
        ]
        reviews = {key: value for page in _named(pages, "reviews/") for key, value in _review_decoder.decode(page)}
        joined = {key: value for page in _named(pages, "joins/") for key, value in _joined_decoder.decode(page)}
        workings = {key: value for page in _named(pages, "formulas/") for key, value in _working_decoder.decode(page)}
    except KeyError as error:
        raise StateError(f"expected the page {error} of a stage 2 checkpoint, found none") from error
    except msgspec.MsgspecError as error:
        raise StateError(f"a page of a stage 2 checkpoint cannot be read: {error}") from error
    return Restored(reached, waiting, reviews, joined, workings)


def write_reached(reached: Reached) -> bytes:
    """The first page."""
    return _encoder.encode(reached)


def waiting_pages(waiting: list[Waiting]) -> dict[str, bytes]:
    """What waits for barriers."""
    return {
        f"waiting/{place // _WAITING_PER_PAGE:06d}": _encoder.encode(waiting[place : place + _WAITING_PER_PAGE])
        for place in range(0, len(waiting), _WAITING_PER_PAGE)
    }


def count_of_waiting_pages(waiting: list[Waiting]) -> int:
    """How many these are."""
    return -(-len(waiting) // _WAITING_PER_PAGE)


def buckets_of(keys: Iterable[Key]) -> set[int]:
    """The buckets that these keys stand in."""
    return {_bucket(key) for key in keys}


def bucket_pages(name: str, buckets: set[int], entries: Mapping[Key, object]) -> dict[str, bytes]:
    """The pages of these buckets; one without entries is empty, so that it is deleted."""
    found: dict[int, list[tuple[Key, object]]] = {bucket: [] for bucket in buckets}
    if buckets:
        for key in sorted(entries):
            bucket = _bucket(key)
            if bucket in found:
                found[bucket].append((key, entries[key]))
    return {f"{name}/{bucket:03d}": _encoder.encode(each) if each else b"" for bucket, each in sorted(found.items())}


def _bucket(key: Key) -> int:
    return int(xxhash.xxh64_intdigest("\0".join(key).encode()) % BUCKETS)


def _named(pages: Mapping[str, bytes], prefix: str) -> list[bytes]:
    return [pages[name] for name in sorted(pages) if name.startswith(prefix) and pages[name]]


_encoder = msgspec.msgpack.Encoder()
_reached_decoder = msgspec.msgpack.Decoder(Reached)
_waiting_decoder = msgspec.msgpack.Decoder(list[Waiting])
_review_decoder = msgspec.msgpack.Decoder(list[tuple[Key, list[Review]]])
_working_decoder = msgspec.msgpack.Decoder(list[tuple[Key, Working]])
_joined_decoder = msgspec.msgpack.Decoder(list[tuple[Key, Joined]])
