"""A rule set asked for from outside the workers: stored, requested, and waited for until every partition has it."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from engine.model.records import Activate, Tick
from engine.model.topics import MEASUREMENTS
from engine.rules.versions import redefined
from engine.runtime.rule_sets import Asker, ask_for, read_activations
from engine.wire.control import decode_control, is_control
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log

_PAUSE_SECONDS = 0.2


class Reloaded(NamedTuple):
    """`number` is the activation's, null where this set is the one requested last. `waiting`: partitions without it.
    `redefined`: what it changes of the definition of KPIs whose version it leaves.
    """

    number: int | None
    waiting: tuple[int, ...]
    redefined: Mapping[str, tuple[str, ...]] = MappingProxyType({})


async def reload(log: Log, rule_set: RuleSet, from_tick: int | None, seconds: float, asker: Asker) -> Reloaded:
    """Ask for a rule set, and wait until it stands in all measurements partitions, at most `seconds`.

    With `from_tick`, of the ticks that workers write, also until that tick stands there: what is sent then is evaluated
    by the new set. Without one it takes effect at the next tick, which comes with what is sent. The audit trail notes
    the `asker`.
    """
    requests = await read_activations(log)
    if requests and requests[-1].hash == rule_set.hash:
        return Reloaded(None, ())
    places = {place: await log.end(MEASUREMENTS, place) for place in range(await log.partitions(MEASUREMENTS))}
    before = requests[-1].hash if requests else None
    number, former = await ask_for(log, rule_set, from_tick or 0, before, asker)
    try:
        async with asyncio.timeout(seconds):
            while places:
                await asyncio.sleep(_PAUSE_SECONDS)
                for place in list(places):
                    await _look(log, place, places, _Awaited(number, from_tick))
    except TimeoutError:
        pass
    return Reloaded(number, tuple(sorted(places)), {} if former is None else redefined(former, rule_set))


class _Awaited(NamedTuple):
    number: int
    from_tick: int | None

    def seen_in(self, found: object) -> bool:
        """Whether a control record is the last that is waited for: the owner writes the activation before the tick."""
        if self.from_tick is not None:
            return isinstance(found, Tick) and found.number >= self.from_tick
        return isinstance(found, Activate) and found.number >= self.number


async def _look(log: Log, place: int, places: dict[int, int], awaited: _Awaited) -> None:
    """Read on in one partition; it is done when what is waited for stands there."""
    while (batch := await log.read(MEASUREMENTS, place, places[place])) is not None:
        places[place] = batch.next_offset
        for record in records(batch):
            found = decode_control(record.value) if is_control(record.headers) else None
            if awaited.seen_in(found):
                del places[place]
                return
