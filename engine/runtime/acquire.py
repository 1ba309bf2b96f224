"""What the owner of a partition writes into its input log: ticks of the wall clock, and activations that it lacks.

The time comes in as a parameter. A former owner that returns may write the same again: stages ignore numbers that are
not above the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.records import Tick
from engine.model.time import Micros, format_time
from engine.model.topics import FINDINGS, MEASUREMENTS
from engine.runtime.ports import Log, Output
from engine.runtime.rule_sets import read_activations
from engine.wire.control import encode_control

if TYPE_CHECKING:
    from engine.runtime.processor import Processor


def live_tick(time: Micros, interval: Micros) -> Tick:
    """The tick that `time` lies in: the same on every partition."""
    number = time // interval
    return Tick("live", number, format_time(number * interval))


async def write_tick(log: Log, topic: str, partition: int, tick: Tick) -> None:
    """Append a tick to one input partition."""
    await log.append([Output(topic, partition, encode_control(tick))])


async def write_activations(log: Log, processor: Processor) -> int:
    """Append what `control` has and the processor's input partition is not known to hold; how many these were.

    The owner calls it when it has recovered, and again whenever something was requested.
    """
    place = processor.place
    missing = await read_activations(log, processor.activation)
    if missing:
        await log.append([Output(place.topic, place.partition, encode_control(request)) for request in missing])
        processor.activation = missing[-1].number
    return len(missing)


async def acquire(log: Log, processor: Processor, present: Tick | None) -> int:
    """Recover, then write what must stand in the input before anything else is processed; returns the position.

    `present` is the tick of this moment in the domain `live`, None in `replay`, whose ticks the sender writes. An owner
    of stage 1 also writes it into every findings partition, since its first finding may be the first record there.
    """
    position = await processor.recover()
    if present is not None:
        place = processor.place
        await write_tick(log, place.topic, place.partition, present)
        if place.topic == MEASUREMENTS:
            for partition in range(await log.partitions(FINDINGS)):
                await write_tick(log, FINDINGS, partition, present)
    await write_activations(log, processor)
    return position
