from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from engine.brokers.topics import TopicAdmin, plan
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from engine.runtime.ports import Log

MEASUREMENT_PARTITIONS = 3

OpenLog = AbstractAsyncContextManager["Log"]


@asynccontextmanager
async def in_memory() -> AsyncIterator[Log]:
    topics = ("measurements", "findings", "review-triggers", "shadow-triggers", "kpi-state")
    counts = dict.fromkeys(topics, MEASUREMENT_PARTITIONS)
    yield MemoryLog(
        counts
        | {"dead-letters": 1, "rule-sets": 1, "control": 1, "audit": 1, "checkpoints": 2 * MEASUREMENT_PARTITIONS}
    )


@asynccontextmanager
async def at_broker(bootstrap: str, prefix: str) -> AsyncIterator[Log]:
    async with KafkaLog(bootstrap, prefix) as log:
        yield log


def open_log(kind: str, request: pytest.FixtureRequest) -> OpenLog:
    if kind == "memory":
        return in_memory()
    prefix = request.getfixturevalue("prefix")
    broker = request.getfixturevalue(kind)
    topics = plan(prefix, MEASUREMENT_PARTITIONS)
    if kind == "embedded":
        broker.create_topics({topic.name: topic.partitions for topic in topics})
    else:
        TopicAdmin(broker.bootstrap).create(topics)
    return at_broker(broker.bootstrap, prefix)


@pytest.fixture(params=["memory", "embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def with_log(request: pytest.FixtureRequest) -> Callable[[Callable[[Log], Awaitable[None]]], None]:
    """Runs a coroutine function over a fresh log of each kind: 3 measurement and 3 findings partitions."""
    opened = open_log(request.param, request)

    def run(use: Callable[[Log], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with opened as log:
                await use(log)

        asyncio.run(whole())

    return run
