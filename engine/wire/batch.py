"""The unit of delivery: record-batch bytes of one partition, as Kafka sent them."""

from __future__ import annotations

from typing import NamedTuple


class Batch(NamedTuple):
    """Whole v2 record batches as bytes, and which of their records count.

    Kafka hands out whole record batches: `data` may begin before `first_offset` and go on after `last_offset`
    (inclusive); records outside are not part of the batch. `next_offset` is where reading goes on: at least
    `last_offset` + 1, more where compaction, control batches or aborted transactions left a gap. An empty batch
    (nothing but a gap) has `last_offset` = `first_offset` - 1. `aborted` lists (producer id, first offset) of aborted
    transactions, as the fetch response gave them.
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    next_offset: int
    data: bytes
    aborted: tuple[tuple[int, int], ...] = ()


class Record(NamedTuple):
    """One record, as a Python object: for the cool path and for what is written."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class LogRecord(NamedTuple):
    """A record with its place in the log."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
