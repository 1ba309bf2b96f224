"""The stages of a worker over what stands in the log, in this process: nothing is written, committed or joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.records import Activate
from engine.model.topics import FINDINGS, MEASUREMENTS, SHADOW_TRIGGERS, TRIGGERS
from engine.runtime.ports import Position
from engine.runtime.stage1 import Stage1
from engine.wire.control import decode_control, is_control
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.runtime.context import StageContext
    from engine.runtime.ports import Log
    from engine.runtime.stage2 import Stage2
    from engine.wire.batch import Batch, LogRecord

AT_ONCE = 50_000
"""Records taken from the log in one go; it changes nothing but the speed."""

TOLD_IN = (TRIGGERS, SHADOW_TRIGGERS)
"""The topics that triggers stand in."""

Said = dict[Position, bytes]
"""Records of stage 1 in the findings topic, by the position of what caused them."""


class _Named(msgspec.Struct):
    id: str


_named = msgspec.json.Decoder(_Named)


async def batches(log: Log, topic: str, partition: int, offset: int) -> AsyncIterator[Batch]:
    """From `offset` to where the partition ended when this began."""
    end = await log.end(topic, partition)
    while offset < end and (batch := await log.read(topic, partition, offset, records_max=AT_ONCE)) is not None:
        yield batch
        offset = batch.next_offset


class FindingsReplay:
    """Stage 2 over its findings partition, up to the record that makes it put out the trigger `wanted`.

    `key` is that of the records which the trigger's review is made of. The stage is closed at the end.
    """

    def __init__(self, wanted: str, key: str, stage: Stage2) -> None:
        self.partition = stage.partition
        self._wanted, self._key, self._stage = wanted, key.encode(), stage
        self._kept: list[LogRecord] = []

    async def trigger(self, log: Log) -> bytes | None:
        """The trigger's bytes as they come out; None when they do not."""
        try:
            async for batch in batches(log, FINDINGS, self.partition, await log.start(FINDINGS, self.partition)):
                found = self._take(batch)
                if found is not None:
                    return found
        finally:
            self._stage.close()
        return None

    def _take(self, batch: Batch) -> bytes | None:
        for output in self._stage.apply(batch):
            value = output.record.value or b""
            if output.topic in TOLD_IN and _named.decode(value).id == self._wanted:
                cause = _position(output.record.headers).offset
                self._keep(batch, cause)
                return value
        self._keep(batch, None)
        return None

    def _keep(self, batch: Batch, cause: int | None) -> None:
        self._kept += [
            record
            for record in records(batch)
            if (cause is None or record.offset <= cause) and (record.key == self._key or record.offset == cause)
        ]

    def rests_on(self) -> dict[int, Said]:
        """What the trigger rests on, by the measurements partition that it came from."""
        found: dict[int, Said] = {}
        for record in self._kept:
            told_itself = b'"type":"answered"' in (record.value or b"")
            if not told_itself and any(name == Position.HEADER for name, _ in record.headers):
                position = _position(record.headers)
                found.setdefault(position.partition, {})[position] = record.value or b""
        return found


def _position(headers: tuple[tuple[str, bytes], ...]) -> Position:
    return Position.decode(dict(headers)[Position.HEADER])


async def said_by_stage_1(log: Log, context: StageContext, partition: int, begin: int, last: int) -> Said:
    """What stage 1 puts into findings over the records of a measurements partition from `begin` to `last`."""
    stage, said = Stage1(partition, context), Said()
    async for batch in batches(log, MEASUREMENTS, partition, begin):
        for output in stage.apply(batch):
            if output.topic == FINDINGS:
                said[_position(output.record.headers)] = output.record.value or b""
        if batch.next_offset > last:
            break
    stage.close()
    return said


async def first_activation(log: Log, partition: int) -> int:
    """Where a worker that was to begin at the end began: at the first activation, with the ticks right before it."""
    start = await log.start(MEASUREMENTS, partition)
    run = start
    async for batch in batches(log, MEASUREMENTS, partition, start):
        for record in records(batch):
            if not is_control(record.headers):
                run = record.offset + 1
            elif isinstance(decode_control(record.value), Activate):
                return run
    return start
