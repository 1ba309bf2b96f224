"""What a worker does with one partition that it owns, until it is told to drain; written to be stopped anywhere."""

from __future__ import annotations

from types import coroutine
from typing import TYPE_CHECKING

from engine.runtime.acquire import acquire, write_activations
from engine.runtime.processor import OffsetJumpError
from engine.simulate.stepped_log import pause
from engine.simulate.watch import require

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from random import Random

    from engine.runtime.processor import Processor
    from engine.simulate.faults import Faults
    from engine.simulate.stepped_log import SteppedLog

IDLE = "idle"
REST = "rest"
_OTHER_SHARE = 0.4


async def own(processor: Processor, log: SteppedLog, faults: Faults, rng: Random, draining: Callable[[], bool]) -> None:
    """Acquire the partition, then read, process, and checkpoint beside it; ends with a checkpoint once draining has
    begun.
    """
    await acquire(log, processor, None)
    turn, checkpointing = _Turn(), _Turn()
    await _beside(
        _work(processor, log, faults, rng, draining, turn, checkpointing),
        _save(processor, faults, rng, turn, checkpointing),
        rng,
    )


class _Turn:
    """What `asyncio.Lock` is to a live worker."""

    def __init__(self) -> None:
        self._taken = False

    async def __aenter__(self) -> None:
        while self._taken:
            await pause("turn")
        self._taken = True

    async def __aexit__(self, *_: object) -> None:
        self._taken = False


@coroutine
def _beside(
    work: Coroutine[str, None, None], other: Coroutine[str, None, None], rng: Random
) -> Generator[str, None, None]:
    """Step one or the other until `work` is done. Whoever leaves it, leaves both. A rest of `other` is no step."""
    try:
        while True:
            what = REST
            if rng.random() < _OTHER_SHARE:
                what = other.send(None)
            if what == REST:
                try:
                    what = work.send(None)
                except StopIteration:
                    return
            yield what
    finally:
        work.close()
        other.close()


async def _save(processor: Processor, faults: Faults, rng: Random, turn: _Turn, checkpointing: _Turn) -> None:
    """Checkpoints from time to time, for ever."""
    while True:
        if rng.random() < faults.checkpoint:
            async with checkpointing:
                await processor.checkpoint(turn)
        await pause(REST)


async def _work(
    processor: Processor,
    log: SteppedLog,
    faults: Faults,
    rng: Random,
    draining: Callable[[], bool],
    turn: _Turn,
    checkpointing: _Turn,
) -> None:
    while True:
        last_round = draining()
        if rng.random() < faults.follow or last_round:
            await write_activations(log, processor)
        if await _take(processor, log, faults, rng, turn):
            continue
        if last_round:
            async with checkpointing:
                await processor.checkpoint()
            return
        await pause(IDLE)


async def _take(processor: Processor, log: SteppedLog, faults: Faults, rng: Random, turn: _Turn) -> bool:
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
        async with turn:
            await processor.process(batch)
    except OffsetJumpError as jump:
        require(batch.first_offset > position == jump.position, f"{place}: a jump that was none: {jump}")
    else:
        require(batch.first_offset <= position, f"{place}: records from {position} on were skipped")
    return True
