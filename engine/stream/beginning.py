"""Where reading begins on a partition that has no manifest, or no committed offset yet: what `start_at` says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from faust.types import TP

from engine.errors import ConfigError
from engine.model.topics import CHECKPOINTS, MEASUREMENTS, full_name

if TYPE_CHECKING:
    from typing import Literal

    from engine.model.time import Micros
    from engine.runtime.ports import Log
    from engine.runtime.processor import Place
    from engine.stream.consumer import BatchConsumer

    StartAt = Literal["earliest", "latest"] | Micros | None


class Beginning:
    """`start_at`: `earliest`, `latest`, a time of the records' own timestamps, or None where nothing was said."""

    def __init__(self, log: Log, consumer: BatchConsumer, prefix: str, start_at: StartAt) -> None:
        self._log = log
        self._consumer = consumer
        self._prefix = prefix
        self._start_at = start_at

    async def of_stage(self, place: Place) -> int:
        """The offset where a stage begins without a manifest. Findings are the engine's own: always all of them."""
        if place.topic == MEASUREMENTS:
            return await self.of(TP(full_name(self._prefix, place.topic), place.partition))
        return await self._log.start(place.topic, place.partition)

    async def of(self, tp: TP) -> int:
        """The offset that `start_at` means on a partition."""
        start, end = (await self._consumer.bounds([tp]))[tp]
        if self._start_at == "latest":
            return end
        if isinstance(self._start_at, int):
            found = await self._consumer.offset_at(tp, self._start_at // 1_000)
            return end if found is None else found
        return start


async def require_beginning(log: Log, prefix: str, start_at: StartAt) -> None:
    """ConfigError when this is a first start over measurements that are there already, and nothing was said."""
    if start_at is None and not await _any(log, CHECKPOINTS) and await _any(log, MEASUREMENTS):
        raise ConfigError(
            [
                (
                    f"start_at: {full_name(prefix, MEASUREMENTS)} holds measurements and there is no checkpoint yet; "
                    "expected where a first start begins: pass `--start-at` with `earliest`, `latest` or a time"
                )
            ]
        )


async def _any(log: Log, topic: str) -> bool:
    ends = [log.end(topic, partition) for partition in range(await log.partitions(topic))]
    return any(await asyncio.gather(*ends))
