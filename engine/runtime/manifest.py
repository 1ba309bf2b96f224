"""What a checkpoint looks like in its topic: keys that start with the term, pages in parts, a manifest over them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import xxhash

from engine.errors import LimitExceededError, StateError

FORMAT = 3
CLAIM_KEY = b"claim"
"""The one key without a term: a claim's own offset is the term, so it cannot carry it. Compaction keeps the newest."""

PART_BYTES_MAX = 500_000
"""A larger page is written in parts, so that no record nears the megabyte at which brokers refuse it."""

MANIFEST_BYTES_MAX = 950_000
"""About ten thousand pages. A manifest is one record, because only one record can be written at once."""


class PageEntry(msgspec.Struct, frozen=True, array_like=True):
    """One page as the manifest names it: written in `epoch`, in `parts` records, with the `digest` of all its bytes."""

    name: str
    epoch: int
    parts: int
    digest: str


class Manifest(msgspec.Struct, frozen=True):
    """All that makes one state: the pages, and the last `offset` of the input that they have seen.

    `identity` is the input topic's, `counts` the partitions of every topic that decides who owns what. `activation` is
    the highest number of the control topic that the input partition is known to hold (-1: none).
    """

    term: int
    epoch: int
    offset: int
    rule_set: str
    semantics: int
    identity: str
    counts: dict[str, int]
    activation: int
    pages: tuple[PageEntry, ...]
    format: int = FORMAT

    def encode(self) -> bytes:
        """The record's value; LimitExceededError when it would be too long for one record."""
        data = msgspec.json.encode(self)
        if len(data) > MANIFEST_BYTES_MAX:
            raise LimitExceededError("manifest_bytes_max", len(data), MANIFEST_BYTES_MAX)
        return data


def decode_manifest(value: bytes, where: str) -> Manifest:
    """The inverse of `Manifest.encode`; StateError, naming `where` it stood, when the bytes are no manifest of ours."""
    try:
        manifest = msgspec.json.decode(value, type=Manifest)
    except msgspec.MsgspecError as error:
        raise StateError(f"{where}: a manifest was expected, found {value[:80]!r} ({error})") from error
    if manifest.format != FORMAT:
        raise StateError(f"{where}: manifest format {FORMAT} was expected, found {manifest.format}: use that version")
    return manifest


class Key(NamedTuple):
    """A key of the checkpoints topic, taken apart. A manifest has no page name."""

    term: int
    epoch: int
    part: int
    page: str | None


def manifest_key(term: int) -> bytes:
    """One manifest a term: a newer one replaces it."""
    return b"%016d/manifest" % term


def page_keys(term: int, entry: PageEntry) -> list[bytes]:
    """The keys of the records that hold a page, in order."""
    name = entry.name.encode()
    return [b"%016d/%010d/%04d/%b" % (term, entry.epoch, part, name) for part in range(entry.parts)]


def parse_key(key: bytes, where: str) -> Key:
    """Take a manifest's or page's key apart; StateError when it is neither."""
    fields = key.split(b"/", 3)
    try:
        if fields[1:] == [b"manifest"]:
            return Key(int(fields[0]), 0, 0, None)
        term, epoch, part, name = fields
        return Key(int(term), int(epoch), int(part), name.decode())
    except ValueError as error:
        raise StateError(f"{where}: the key of a page or manifest was expected, found {key[:80]!r}") from error


def split_page(data: bytes) -> list[bytes]:
    """A page's bytes as the values of its records; never an empty value, which would be a deletion."""
    return [data[first : first + PART_BYTES_MAX] for first in range(0, len(data), PART_BYTES_MAX)]


def page_digest(data: bytes) -> str:
    """XXH3 of 128 bits in hex: tells damage, not malice."""
    return xxhash.xxh3_128_hexdigest(data)
