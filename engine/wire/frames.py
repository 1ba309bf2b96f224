"""Record batches of Kafka's format v2, as far as they are the same for every record: header, CRC, codec, transactions.

What comes out are the payloads of the data batches: records end to end, decompressed. `frames` gives each as bytes of
its own, `laid_out` all of them in one piece.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from crc32c import crc32c

from engine.errors import WireError
from engine.wire.compression import decompress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.wire.batch import Batch

HEADER = Struct(">qiibIhiqqqhii")
"""base offset, length of what follows it, leader epoch, magic, CRC-32C of what follows it, attributes,
last offset delta, first and greatest timestamp (ms), producer id, producer epoch, base sequence, record count."""

LENGTH_END = 12
"""`length` counts the bytes from here on."""
CRC_START = 21
"""The CRC is of the bytes from here on (the attributes)."""
MAGIC = 2

_CODEC = 0x07
_TRANSACTIONAL = 0x10
_CONTROL = 0x20
_ABORT = 0


class Frame(NamedTuple):
    """One data batch: `records` records from `base_offset` on stand in `payload`."""

    base_offset: int
    records: int
    payload: bytes


class Layout(NamedTuple):
    """The payloads of a batch in `data`. `segments` int64, a row a payload: where it starts and ends, the offset that
    its records count from, how many they are.
    """

    data: bytes
    segments: NDArray[np.int64]


class _Head(NamedTuple):
    """The header of a batch, and the place of the batch in the data."""

    base_offset: int
    last_offset: int
    attributes: int
    producer: int
    records: int
    crc: int
    start: int
    end: int


def frames(batch: Batch) -> Iterator[Frame]:
    """The data batches that hold records of `batch`; control batches and aborted transactions are left out.

    Raises as `laid_out` does, at the batch that is at fault.
    """
    for head in _wanted(batch):
        yield Frame(head.base_offset, head.records, _payload(batch.data, head))


def laid_out(batch: Batch) -> Layout:
    """All that `frames` gives at once, without a copy where nothing is compressed.

    `batch.aborted` speaks for `batch.data` from its beginning: it must not list a transaction that ended before it.

    Raises WireError: `truncated_batch`, `corrupt_batch` (CRC, codec) or `unknown_format` (not v2). These are faults
    of the log and not of a message: nothing is skipped.
    """
    heads = list(_wanted(batch))
    if any(head.attributes & _CODEC for head in heads):
        return _joined(heads, [_payload(batch.data, head) for head in heads])
    for head in heads:
        _check(batch.data, head)
    rows = [(head.start + HEADER.size, head.end, head.base_offset, head.records) for head in heads]
    return Layout(batch.data, np.array(rows, np.int64).reshape(-1, 4))


def _joined(heads: list[_Head], payloads: list[bytes]) -> Layout:
    ends = list(accumulate(map(len, payloads), initial=0))
    rows = [
        (start, end, head.base_offset, head.records) for head, (start, end) in zip(heads, pairwise(ends), strict=True)
    ]
    return Layout(b"".join(payloads), np.array(rows, np.int64).reshape(-1, 4))


def _wanted(batch: Batch) -> Iterator[_Head]:
    """The data batches that hold records of `batch`."""
    waiting = sorted(batch.aborted, key=lambda entry: entry[1], reverse=True)
    aborting: set[int] = set()
    for head in _heads(batch):
        if head.base_offset > batch.last_offset:
            return
        while waiting and waiting[-1][1] <= head.last_offset:
            aborting.add(waiting.pop()[0])
        if head.attributes & _CONTROL:
            if head.producer in aborting and _is_abort(batch.data, head):
                aborting.discard(head.producer)
        elif head.last_offset >= batch.first_offset and not (
            head.attributes & _TRANSACTIONAL and head.producer in aborting
        ):
            yield head


def _heads(batch: Batch) -> Iterator[_Head]:
    data, start = batch.data, 0
    while start < len(data):
        if len(data) - start < HEADER.size:
            raise _truncated(batch, start, HEADER.size)
        base, length, _, magic, crc, attributes, delta, _, _, producer, _, _, count = HEADER.unpack_from(data, start)
        if magic != MAGIC:
            raise WireError("unknown_format", f"{_place(batch, start)}: expected record format 2, found {magic}")
        end = start + LENGTH_END + length
        if length < HEADER.size - LENGTH_END or count < 0 or delta < 0:
            raise WireError("corrupt_batch", f"{_place(batch, start)}: length {length}, {count} records, delta {delta}")
        if end > len(data):
            raise _truncated(batch, start, end - start)
        yield _Head(base, base + delta, attributes, producer, count, crc, start, end)
        start = end


def _truncated(batch: Batch, start: int, needed: int) -> WireError:
    found = len(batch.data) - start
    return WireError("truncated_batch", f"{_place(batch, start)}: expected {needed} bytes, found {found}")


def _place(batch: Batch, start: int) -> str:
    return f"{batch.topic}/{batch.partition}, byte {start} of the batch at offset {batch.first_offset}"


def _check(data: bytes, head: _Head) -> None:
    found = crc32c(memoryview(data)[head.start + CRC_START : head.end])
    if found != head.crc:
        raise WireError("corrupt_batch", f"batch at offset {head.base_offset}: CRC {found:08x} is not {head.crc:08x}")


def _payload(data: bytes, head: _Head) -> bytes:
    _check(data, head)
    payload = data[head.start + HEADER.size : head.end]
    code = head.attributes & _CODEC
    return decompress(payload, code) if code else payload


def _is_abort(data: bytes, head: _Head) -> bool:
    """A control record's key is (version int16, type int16); its timestamp alone may be longer than a byte."""
    payload = _payload(data, head)
    position = 2
    while payload[position : position + 1] >= b"\x80":
        position += 1
    key = payload[position + 3 : position + 7]
    return int.from_bytes(key[2:], "big") == _ABORT
