"""What a worker does with one partition that it owns, until it is told to drain; written to be stopped anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.runtime.acquire import acquire, write_activations
from engine.runtime.processor import OffsetJumpError
from engine.simulate.stepped_log import pause
from engine.simulate.watch import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from engine.runtime.processor import Processor
    from engine.simulate.faults import Faults
    from engine.simulate.stepped_log import SteppedLog

IDLE = "idle"


async def own(processor: Processor, log: SteppedLog, faults: Faults, rng: Random, draining: Callable[[], bool]) -> None:
    """Acquire the partition, then read, process and checkpoint; ends with a checkpoint once draining has begun."""
    await acquire(log, processor, None)
    while True:
        last_round = draining()
        if rng.random() < faults.checkpoint:
            await processor.checkpoint()
        if rng.random() < faults.follow or last_round:
            await write_activations(log, processor)
        if await _take(processor, log, faults, rng):
            continue
        if last_round:
            await processor.checkpoint()
            return
        await pause(IDLE)


async def _take(processor: Processor, log: SteppedLog, faults: Faults, rng: Random) -> bool:
    """Read somewhere near the position and process; whether there was anything to read."""
    place, position = processor.place, processor.position
    offset = position
    if rng.random() < faults.early:
        offset = max(0, position - rng.randint(1, 5))
    elif rng.random() < faults.late:
        offset = min(position + rng.randint(1, 3), await log.end(place.topic, place.partition))
    batch = await log.read(place.topic, place.partition, offset)
    if batch is None:
        return offset != position
    try:
        await processor.process(batch)
    except OffsetJumpError as jump:
        require(batch.first_offset > position == jump.position, f"{place}: a jump that was none: {jump}")
    else:
        require(batch.first_offset <= position, f"{place}: records from {position} on were skipped")
    return True
