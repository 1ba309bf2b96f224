"""Live ticks: the wall clock, written into every input partition that this worker owns. Not used in `replay`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.runtime.acquire import live_tick
from engine.runtime.ports import Output
from engine.wire.control import encode_control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.model.records import Tick
    from engine.model.time import Micros
    from engine.runtime.ports import Log
    from engine.runtime.processor import Place


class TickWriter:
    """Writes each tick once to each of `places()`, at the moment that its number begins.

    `wall` reads the time of day in microseconds. A tick that was missed is not made up for: numbers may jump.
    """

    def __init__(
        self, log: Log, places: Callable[[], Iterable[Place]], *, interval: Micros, wall: Callable[[], Micros]
    ) -> None:
        self._log = log
        self._places = places
        self._interval = interval
        self._wall = wall

    def present(self) -> Tick:
        """The tick of this moment."""
        return live_tick(self._wall(), self._interval)

    def until_next(self) -> float:
        """Seconds until the next tick begins."""
        return (self._interval - self._wall() % self._interval) / 1_000_000

    async def run(self) -> None:
        """Write ticks until cancelled."""
        while True:
            await asyncio.sleep(self.until_next())
            await self.write(self.present())

    async def write(self, tick: Tick) -> None:
        """Append one tick everywhere."""
        record = encode_control(tick)
        await self._log.append([Output(place.topic, place.partition, record) for place in self._places()])
