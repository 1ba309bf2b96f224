"""The load as record batches, without a broker: what a partition of the measurements topic would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest_load import ticks
from ingest_messages import messages

from engine.model.records import Tick
from engine.model.time import MINUTE, format_time
from engine.wire.batch import Batch, Record
from engine.wire.control import encode_control
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest_load import Load


def tick_record(number: int) -> Record:
    """The replay tick of that number: one a minute."""
    return encode_control(Tick("replay", number, format_time(number * MINUTE)))


def batches(load: Load, shape: str = "plain", size: int = 2_000) -> list[Batch]:
    """The whole log of one partition in batches of `size` records."""
    records, made = list(_records(load, shape)), []
    for first in range(0, len(records), size):
        part: Sequence[Record] = records[first : first + size]
        end = first + len(part)
        made.append(Batch("measurements", 0, first, end - 1, end, encode_batch(part, first)))
    return made


def _records(load: Load, shape: str) -> Iterator[Record]:
    values = list(messages(load, shape, 0, load.total))
    first, *numbers = ticks(load)
    ends = [int(end) for end in load.minute.searchsorted(range(load.minutes), side="right")]
    yield tick_record(first)
    begin = 0
    for number, end in zip(numbers, [*ends, load.total], strict=True):
        yield from (Record(None, value) for value in values[begin:end])
        yield tick_record(number)
        begin = end
