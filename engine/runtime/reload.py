"""A rule set asked for from outside the workers: stored, requested, and waited for until every partition has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from engine.model.records import Activate
from engine.model.topics import MEASUREMENTS
from engine.runtime.rule_sets import read_activations, request_activation, store_rule_set
from engine.wire.control import decode_control, is_control
from engine.wire.records import records

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log

_PAUSE_SECONDS = 0.2


class Reloaded(NamedTuple):
    """`number` is the activation's, null where this set is the one requested last. `waiting`: partitions without it."""

    number: int | None
    waiting: tuple[int, ...]


async def reload(log: Log, rule_set: RuleSet, from_tick: int, seconds: float) -> Reloaded:
    """Ask for a rule set from `from_tick` on; returns when the owners of all measurements partitions have written it.

    What is sent after that is evaluated by it, from the next tick on. After `seconds` it returns all the same.
    """
    requests = await read_activations(log)
    if requests and requests[-1].hash == rule_set.hash:
        return Reloaded(None, ())
    places = {place: await log.end(MEASUREMENTS, place) for place in range(await log.partitions(MEASUREMENTS))}
    await store_rule_set(log, rule_set)
    number = await request_activation(log, rule_set.hash, from_tick)
    try:
        async with asyncio.timeout(seconds):
            while places:
                await asyncio.sleep(_PAUSE_SECONDS)
                for place in list(places):
                    await _look(log, place, places, number)
    except TimeoutError:
        pass
    return Reloaded(number, tuple(sorted(places)))


async def _look(log: Log, place: int, places: dict[int, int], number: int) -> None:
    """Read on in one partition; it is done when the activation stands there."""
    while (batch := await log.read(MEASUREMENTS, place, places[place])) is not None:
        places[place] = batch.next_offset
        for record in records(batch):
            found = decode_control(record.value) if is_control(record.headers) else None
            if isinstance(found, Activate) and found.number >= number:
                del places[place]
                return
