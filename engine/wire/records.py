"""Records in and out of v2 batches: what is read record by record, and what the in-memory log keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crc32c import crc32c

from engine.errors import WireError
from engine.wire.batch import LogRecord
from engine.wire.compression import CODES, compress
from engine.wire.frames import CRC_START, HEADER, LENGTH_END, MAGIC, frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.wire.batch import Batch, Record
    from engine.wire.compression import Compression
    from engine.wire.frames import Frame

Entry = tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
"""Offset, key, value, headers: a LogRecord before it is one."""

_MORE = 0x80
_NO_PRODUCER = -1
_VARINT_BYTES_MAX = 10


def records(batch: Batch) -> Iterator[LogRecord]:
    """The records of the batch, in order, from `first_offset` to `last_offset`; raises as `frames` does."""
    return map(LogRecord._make, entries(batch))


def entries(batch: Batch) -> Iterator[Entry]:
    """The same as plain tuples, for readers in a hurry. A header without a value reads as an empty one."""
    first, last = batch.first_offset, batch.last_offset
    for frame in frames(batch):
        for entry in parse(frame):
            if entry[0] > last:
                return
            if entry[0] >= first:
                yield entry


def parse(frame: Frame) -> Iterator[Entry]:
    """Every record of a frame. WireError `corrupt_batch` where one does not end as it says.

    Varints of one and two bytes are read in line: calls would cost more than everything else here.
    """
    data, base = frame.payload, frame.base_offset
    position = 0
    try:
        for _ in range(frame.records):
            length, position = _varint(data, position)
            end = position + length
            position += 1  # attributes: unused by Kafka
            while data[position] & _MORE:  # the timestamp: not ours to read
                position += 1
            position += 1
            delta = data[position]
            if delta & _MORE:
                delta, position = _varint(data, position)
            else:
                delta >>= 1
                position += 1
            key: bytes | None = None
            if data[position] == 1:
                position += 1
            else:
                size, position = _varint(data, position)
                key = data[position : position + size]
                position += size
            value: bytes | None = None
            if data[position] == 1:
                position += 1
            else:
                size, position = _varint(data, position)
                value = data[position : position + size]
                position += size
            headers: tuple[tuple[str, bytes], ...] = ()
            if data[position]:
                headers, position = _headers(data, position)
            else:
                position += 1
            if position != end:
                raise _corrupt(frame, f"a record ends at byte {position}, its length says {end}")
            yield base + delta, key, value, headers
    except (IndexError, UnicodeDecodeError) as error:
        raise _corrupt(frame, f"a record does not end with its batch ({error})") from error


def _corrupt(frame: Frame, detail: str) -> WireError:
    return WireError("corrupt_batch", f"batch at offset {frame.base_offset}: {detail}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag varint and the position after it."""
    byte = data[position]
    position += 1
    if not byte & _MORE:
        return (byte >> 1) ^ -(byte & 1), position
    raw = byte & 0x7F
    shift = 7
    while True:
        byte = data[position]
        position += 1
        raw |= (byte & 0x7F) << shift
        if not byte & _MORE:
            return (raw >> 1) ^ -(raw & 1), position
        shift += 7
        if shift > 7 * _VARINT_BYTES_MAX:
            raise IndexError("a number of more than ten bytes")


def _headers(data: bytes, position: int) -> tuple[tuple[tuple[str, bytes], ...], int]:
    count, position = _varint(data, position)
    headers = []
    for _ in range(count):
        size, position = _varint(data, position)
        name = data[position : position + size].decode()
        size, position = _varint(data, position + size)
        end = position + max(size, 0)
        headers.append((name, data[position:end]))
        position = end
    return tuple(headers), position


def encode_batch(
    records: Sequence[Record], base_offset: int, timestamp_ms: int = 0, compression: Compression | None = None
) -> bytes:
    """One v2 batch of `records` from `base_offset` on, all at `timestamp_ms`; no bytes for no records."""
    if not records:
        return b""
    payload = b"".join(_encode_record(record, delta) for delta, record in enumerate(records))
    if compression:
        payload = compress(payload, compression)
    return sealed(payload, len(records), base_offset, len(records) - 1, timestamp_ms, compression)


def sealed(
    payload: bytes,
    records: int,
    base_offset: int,
    last_delta: int,
    timestamp_ms: int = 0,
    compression: Compression | None = None,
) -> bytes:
    """A v2 batch of a payload: `records` records end to end (compressed as said), deltas from 0 to `last_delta`."""
    head = HEADER.pack(
        base_offset,
        HEADER.size - LENGTH_END + len(payload),
        0,
        MAGIC,
        0,
        CODES[compression],
        last_delta,
        timestamp_ms,
        timestamp_ms,
        _NO_PRODUCER,
        -1,
        -1,
        records,
    )
    crc = crc32c(payload, crc32c(head[CRC_START:]))
    return head[: CRC_START - 4] + crc.to_bytes(4, "big") + head[CRC_START:] + payload


def _encode_record(record: Record, delta: int) -> bytes:
    parts = [b"\0\0", _zigzag(delta), *_sized(record.key), *_sized(record.value), _zigzag(len(record.headers))]
    for name, value in record.headers:
        parts += (*_sized(name.encode()), *_sized(value))
    body = b"".join(parts)
    return _zigzag(len(body)) + body


def _sized(data: bytes | None) -> tuple[bytes, bytes]:
    return (b"\1", b"") if data is None else (_zigzag(len(data)), data)


def _zigzag(value: int) -> bytes:
    """A number that is not negative, as a zigzag varint."""
    raw = value << 1
    out = bytearray()
    while raw >= _MORE:
        out.append(raw & 0x7F | _MORE)
        raw >>= 7
    out.append(raw)
    return bytes(out)
