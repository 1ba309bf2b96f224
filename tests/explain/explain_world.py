"""A little shop whose five weeks make a trigger of every kind: real stages over an in-memory log."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.client.replay import Replay
from engine.model.measurement import Measurement
from engine.model.records import ReviewCommand
from engine.model.time import DAY, HOUR, MINUTE, Micros, format_time, parse_own_time
from engine.model.topics import CHECKPOINTS, FINDINGS, MEASUREMENTS, OWN_TOPICS, SHADOW_TRIGGERS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.explain.explanation import Explanation, explain
from engine.offline.explain.given import given
from engine.rules.loader import load_or_raise
from engine.runtime.acquire import acquire
from engine.runtime.context import StageContext
from engine.runtime.memory_log import MemoryLog
from engine.runtime.ports import Output
from engine.runtime.processor import Processor, stage_1_place, stage_2_place
from engine.runtime.rule_sets import request_activation, store_rule_set
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.rules.ruleset import RuleSet
    from engine.runtime.processor import Place

RULES = Path(__file__).parent / "rules.yaml"
MONDAY = parse_own_time("2024-03-11T00:00:00Z")
PARTITIONS = 2
Timed = tuple[Micros, Measurement]


def at(day: int, hour: float = 0) -> Micros:
    return MONDAY + day * DAY + round(hour * HOUR)


def history() -> list[Timed]:
    return sorted([*_orders(), *_tickets(), *_latency(), *_wait()], key=lambda pair: (pair[0], str(pair[1].id)))


def _measured(time: Micros, kpi: str, value: float, name: str, **dimensions: str) -> Timed:
    return time, Measurement(kpi, format_time(time), value, dimensions, f"{kpi}-{name}", "till")


def _orders() -> Iterator[Timed]:
    """Europe falls on day 16, jumps on day 23, grows from day 28; the States fall silent after day 18, for six days."""
    odd = {16: 41.0, 23: 168.0, 28: 118.0, 29: 122.0, 30: 131.5, 31: 129.0, 32: 134.0, 33: 133.0}
    for day in range(36):
        value = odd.get(day, 100.0 + (day * 7) % 5)
        yield _measured(at(day, 9), "orders", value, f"eu-{day}", region="eu")
        if not 18 < day < 25:
            yield _measured(at(day, 10), "orders", 50.0 + day % 3, f"us-{day}", region="us")


def _tickets() -> Iterator[Timed]:
    """A fifth of the orders; a third from day 29 on, and none any more after day 31."""
    for day in range(32):
        for channel, count in (("web", 15 if day < 29 else 34), ("phone", 5 if day < 29 else 12)):
            for number in range(count):
                name = f"{channel}-{day}-{number}"
                yield _measured(at(day, 8) + number * 5 * MINUTE, "tickets", 1, name, region="eu", channel=channel)


def _latency() -> Iterator[Timed]:
    """Three pages on day 2: one slow and then out of its range, one in the old range, one too fast to be true."""
    slow = {9: 2.6, 10: 3.1, 11: 3.4, 12: 11.5, 13: 2.2, 14: 1.9}
    for hour in range(24):
        for page, value in (
            ("home", slow.get(hour, 1.0)),
            ("cart", 1.5 if hour in (11, 12) else 1.0),
            ("help", 0.15 if hour in (15, 16) else 1.0),
        ):
            for minute in (10, 40):
                yield _measured(at(2, hour) + minute * MINUTE, "latency", value, f"{page}-{hour}-{minute}", page=page)


def _wait() -> Iterator[Timed]:
    """Three desks from day 0 to 149: from day 60 one waits longer for good, one for 15 days, one from day to day."""
    for day in range(150):
        noise = ((day * 7919) % 101) / 50 - 1
        for desk, more in (
            ("lasting", 6.0 if day >= 60 else 0.0),
            ("passing", 6.0 if 60 <= day < 75 else 0.0),
            ("growing", 0.25 * max(0, day - 60)),
        ):
            yield _measured(at(day, 11), "wait", round(20 + noise + more, 2), f"{desk}-{day}", desk=desk)


class World(NamedTuple):
    """What stands in the log when all is done, and the triggers in the order that they were written."""

    log: MemoryLog
    rule_set: RuleSet
    triggers: list[bytes]

    def of(self, rule: str, happening: str, ordinal: int | None = None, scope: str = "") -> bytes:
        """The first trigger of that kind."""
        for value in self.triggers:
            trigger = msgspec.json.decode(value, type=ReviewTrigger)
            data = trigger.data
            named = (data.rule, trigger.type.split(".")[2]) == (rule, happening) and scope in data.scope
            if named and ordinal in (None, data.ordinal):
                return value
        raise LookupError(f"no {happening} of {rule}")


class _Sink:
    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        self._log.append_now([Output(MEASUREMENTS, partition, Record(key, value, tuple(headers)))])

    def flush(self) -> None:
        """All is there at once."""


def explained(value: bytes | dict[str, Any]) -> Explanation:
    """What explain says of an event, as bytes or decoded."""
    return explain(given(msgspec.json.decode(value) if isinstance(value, bytes) else value))


@cache
def world() -> World:
    """Always the same one: leave it as it is."""
    return make_world()


def make_world(**changed: float) -> World:
    """One of the test's own. `changed`: values of measurements by id, dashes as underscores."""
    return asyncio.run(_world({name.replace("_", "-"): value for name, value in changed.items()}))


async def _world(changed: dict[str, float]) -> World:
    rule_set = load_or_raise([RULES])
    log = MemoryLog(
        dict.fromkeys(OWN_TOPICS, 1)
        | dict.fromkeys((MEASUREMENTS, FINDINGS, TRIGGERS, SHADOW_TRIGGERS), PARTITIONS)
        | {CHECKPOINTS: 2 * PARTITIONS}
    )
    await store_rule_set(log, rule_set)
    await request_activation(log, rule_set.hash, 0)
    context = StageContext({rule_set.hash: rule_set}, rule_set.hash, PARTITIONS, PARTITIONS)
    first = [await _acquired(log, stage_1_place(each), context) for each in range(PARTITIONS)]
    replay = Replay(_Sink(log), PARTITIONS, HOUR)
    for time, told in history():
        value = changed.get(str(told.id), told.value)
        replay.measurement(told.kpi, told.dimensions, time, value, id=told.id, source=told.source)
    replay.finish(4 * DAY)
    second = [await _acquired(log, stage_2_place(each, PARTITIONS), context) for each in range(PARTITIONS)]
    for processor in (*first, *second):
        await _work(log, processor)
    await _answer(log, _written(log))
    for processor in second:
        await _work(log, processor)
        processor.close()
    return World(log, rule_set, _written(log))


async def _acquired(log: MemoryLog, place: Place, context: StageContext) -> Processor:
    stage = Stage1 if place.topic == MEASUREMENTS else Stage2
    processor = Processor(log, place, lambda: stage(place.partition, context))
    await acquire(log, processor, None)
    return processor


async def _work(log: MemoryLog, processor: Processor) -> None:
    place = processor.place
    while (batch := await log.read(place.topic, place.partition, processor.position)) is not None:
        await processor.process(batch)
    await processor.checkpoint()


async def _answer(log: MemoryLog, triggers: list[bytes]) -> None:
    """Somebody sees the conflict, and answers."""
    conflict = next(
        trigger.data
        for trigger in (msgspec.json.decode(value, type=ReviewTrigger) for value in triggers)
        if trigger.data.rule == "growth-paid-for"
    )
    key = f"{conflict.rule}|{conflict.scope}".encode()
    time = format_time(at(40))
    commands = [
        ReviewCommand("c-1", conflict.review, "acknowledge", "ann", time),
        ReviewCommand("c-2", conflict.review, "resolve", "ann", time, "a campaign for bargain hunters", "real"),
    ]
    await log.append([Output(FINDINGS, None, Record(key, encode_record(command))) for command in commands])


def _written(log: MemoryLog) -> list[bytes]:
    places = [(topic, partition) for topic in (TRIGGERS, SHADOW_TRIGGERS) for partition in range(PARTITIONS)]
    return [record.value or b"" for place in places for record in log.records(*place)]
