"""A worker that is up and does not get on ends by itself, with a status that says so, whatever it hangs in."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from stream_toy import checkpointed, make_topics, send, worker_process

from engine.brokers.kafka import KafkaBroker
from engine.model.topics import MEASUREMENTS
from engine.runtime.kafka_log import KafkaLog
from engine.runtime.ports import Output
from engine.stream.watchdog import EXIT_STATUS
from engine.wire.batch import Record

if TYPE_CHECKING:
    from pathlib import Path

    from stream_toy import WorkerProcess

    from engine.brokers.embedded import EmbeddedBroker


async def until_said(worker: WorkerProcess, text: str, times: int = 1) -> None:
    async with asyncio.timeout(25):
        while not worker.said(text, times):  # noqa: ASYNC110 (another process makes it hold)
            await asyncio.sleep(0.1)


def test_a_stage_that_never_returns_ends_the_process(embedded: EmbeddedBroker, tmp_path: Path):
    bootstrap = make_topics(embedded, "stuck", 1)

    async def scenario() -> None:
        async with KafkaLog(bootstrap, "stuck") as log:
            await log.append([Output(MEASUREMENTS, 0, Record(b"fine", b"{}"))])
            with worker_process(tmp_path / "log", bootstrap, "stuck", 1, progress_timeout="2s") as worker:
                await until_said(worker, "partition recovered")
                await log.append([Output(MEASUREMENTS, 0, Record(b"stuck", b"{}"))])
                assert await asyncio.to_thread(worker.end) == EXIT_STATUS
                assert worker.said("its loop has not turned")
            assert "stuck" not in await checkpointed(log, 0)

    asyncio.run(scenario())


@pytest.mark.kafka
@pytest.mark.alone
@pytest.mark.usefixtures("kafka")
def test_records_that_are_there_and_cannot_be_worked_on_end_the_worker(tmp_path: Path):
    # A broker of its own: it is frozen in the middle of a load. The shared one says whether there can be any.
    with KafkaBroker(tmp_path / "kafka") as broker:
        bootstrap, pid = make_topics(broker, "frozen", 2), broker.pid
        assert pid is not None
        more = {"progress_timeout": "2s", "drain_timeout": "2s", "session_timeout": "30s"}

        async def scenario() -> None:
            await send(bootstrap, "frozen", 2, 400_000)
            with worker_process(tmp_path / "log", bootstrap, "frozen", 2, **more) as worker:
                await until_said(worker, "partition recovered", 4)
                os.kill(pid, signal.SIGSTOP)
                try:
                    assert await asyncio.to_thread(worker.end) != 0
                finally:
                    os.kill(pid, signal.SIGCONT)
                assert worker.said("no progress for 2 s on ")

        asyncio.run(scenario())
