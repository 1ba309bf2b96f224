"""Rule sets as a worker follows them: what is stored, what was requested, and what its partitions still lack."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from engine.model.topics import CONTROL
from engine.runtime.acquire import write_activations
from engine.runtime.clocks import wall_clock
from engine.runtime.rule_sets import Asker, ask_for, first_rule_set, read_activations, read_rule_sets, store_rule_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log
    from engine.runtime.processor import Processor

POLL_SECONDS = 1.0
"""How soon a request by somebody else is noticed."""

_log = structlog.get_logger(__name__)


class RuleSetFollower:
    """`stored` is shared with the stages: they find there what an activation names."""

    def __init__(
        self, log: Log, processors: Callable[[], Iterable[Processor]], stored: dict[str, RuleSet] | None = None
    ) -> None:
        self.stored: dict[str, RuleSet] = {} if stored is None else stored
        self.first = ""
        self._log = log
        self._processors = processors
        self._seen = 0

    async def begin(self, rule_set: RuleSet, from_tick: int) -> None:
        """Store what was loaded from files; request it where it is not what was requested last."""
        await store_rule_set(self._log, rule_set)
        requests = await read_activations(self._log)
        if not requests or requests[-1].hash != rule_set.hash:
            number = await self._ask_for(rule_set, from_tick if requests else 0, "a worker that started")
            _log.info("rule set requested", hash=rule_set.hash, number=number, rules=len(rule_set.rules))
        self._seen = await self._log.end(CONTROL, 0)
        await self.refresh()
        self.first = await first_rule_set(self._log)

    async def refresh(self) -> None:
        """Know every set that is stored: a partition may bring activations along that another worker wrote."""
        self.stored.update(await read_rule_sets(self._log))

    async def reload(self, rule_set: RuleSet, from_tick: int) -> bool:
        """Store and request another set; False when it is the one requested last."""
        requests = await read_activations(self._log)
        if requests and requests[-1].hash == rule_set.hash:
            return False
        await self._ask_for(rule_set, from_tick, "SIGHUP to a worker")
        self.stored[rule_set.hash] = rule_set
        return True

    async def _ask_for(self, rule_set: RuleSet, from_tick: int, who: str) -> int:
        requests = await read_activations(self._log)
        before = requests[-1].hash if requests else None
        asked = await ask_for(self._log, rule_set, from_tick, before, Asker(who, wall_clock()))
        return asked.number

    async def run(self) -> None:
        """Pass requests on to the partitions of this worker, until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            end = await self._log.end(CONTROL, 0)
            if end > self._seen:
                await self._pass_on()
                self._seen = end

    async def _pass_on(self) -> None:
        await self.refresh()
        for processor in list(self._processors()):
            if await write_activations(self._log, processor):
                _log.info("activation written", place=str(processor.place), number=processor.activation)
