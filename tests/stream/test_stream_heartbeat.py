"""A real worker and somebody who waits for its heartbeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from metrics_world import receiver
from stream_toy import make_topics, worker_process

from engine.model.topics import MEASUREMENTS
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.ports import Output
from engine.wire.batch import Record

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker

SILENCE_SECONDS = 6.0
"""Longer than the interval of a second, and than the three that a worker may take to be seen standing still."""


def test_a_worker_beats_while_it_gets_on_and_is_silent_when_it_hangs(embedded: EmbeddedBroker, tmp_path: Path):
    bootstrap = make_topics(embedded, "beat", 1)

    async def heard(asked: list[str], more: int) -> None:
        least = len(asked) + more
        async with asyncio.timeout(60):
            while len(asked) < least:  # noqa: ASYNC110 (another thread makes it hold)
                await asyncio.sleep(0.1)

    async def scenario() -> None:
        with receiver(500) as (url, asked):
            settings = {"heartbeat_url": url, "heartbeat_interval": "1s", "progress_timeout": "60s"}
            async with KafkaLog(bootstrap, "beat") as log:
                with worker_process(tmp_path / "log", bootstrap, "beat", 1, **settings) as worker:
                    await heard(asked, 3)
                    assert worker.said("heartbeat fails")
                    assert worker.said("heartbeat arrives again")
                    await log.append([Output(MEASUREMENTS, 0, Record(b"stuck", b"{}"))])
                    async with asyncio.timeout(60):
                        while not worker.said("stuck"):  # noqa: ASYNC110 (another process makes it hold)
                            await asyncio.sleep(0.1)
                    await asyncio.sleep(SILENCE_SECONDS)
                    before = len(asked)
                    await asyncio.sleep(SILENCE_SECONDS)
                    assert len(asked) == before
                    assert worker.process.poll() is None
            assert url not in (tmp_path / "log").read_text()

    asyncio.run(scenario())
