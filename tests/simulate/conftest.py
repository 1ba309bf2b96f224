from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sim_toy import ToyCounter

from engine.model.records import Tick
from engine.model.topics import OWN_TOPICS
from engine.runtime.memory_log import MemoryLog
from engine.runtime.ports import Output
from engine.runtime.processor import Processor, stage_1_place
from engine.wire.batch import Record
from engine.wire.control import encode_control

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def log() -> MemoryLog:
    """One measurements and one findings partition, with ten measurements and two ticks."""
    held = MemoryLog(dict.fromkeys(OWN_TOPICS, 1) | {"checkpoints": 2})
    values = [b'{"key":"a","id":%d}' % number for number in range(10)]
    held.append_now([Output("measurements", 0, Record(b"a", value)) for value in values])
    ticks = [encode_control(Tick("replay", number, "1970-01-01T00:00:00Z")) for number in (1, 2)]
    held.append_now([Output("measurements", 0, tick) for tick in ticks])
    return held


@pytest.fixture
def make_processor(log: MemoryLog) -> Callable[..., Processor]:
    def make(**options: int) -> Processor:
        return Processor(log, stage_1_place(0), lambda: ToyCounter(0, 1, 1), **options)

    return make


@pytest.fixture
def work(log: MemoryLog) -> Callable[..., None]:
    """Recover, take at most `records` records, write a checkpoint."""

    def run(processor: Processor, records: int = 5_000, *, recover: bool = True) -> None:
        async def whole() -> None:
            if recover:
                await processor.recover()
            batch = await log.read("measurements", 0, processor.position, records_max=records)
            if batch is not None:
                await processor.process(batch)
            await processor.checkpoint()

        asyncio.run(whole())

    return run
