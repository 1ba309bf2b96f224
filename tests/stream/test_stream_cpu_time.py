"""The CPU of an awaitable's own steps."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine.stream.cpu_time import CpuTimed

BURNT_MICROS = 50_000


def burn() -> None:
    end = time.thread_time_ns() + BURNT_MICROS * 1_000
    while time.thread_time_ns() < end:
        pass


def test_work_of_others_while_it_waits_is_not_counted_and_its_own_is():
    async def others() -> None:
        burn()

    async def own() -> str:
        await asyncio.create_task(others())
        return "done"

    async def busy() -> None:
        burn()

    async def scenario() -> None:
        waiting, working = CpuTimed(own()), CpuTimed(busy())
        assert await waiting == "done"
        await working
        assert waiting.used < BURNT_MICROS <= working.used

    asyncio.run(scenario())


def test_a_cancellation_and_an_error_reach_the_work():
    seen = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def broken() -> None:
        await asyncio.sleep(0)
        raise ValueError("said by the work")

    async def timed() -> None:
        await CpuTimed(work())

    async def scenario() -> None:
        task = asyncio.create_task(timed())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ValueError, match="said by the work"):
            await CpuTimed(broken())

    asyncio.run(scenario())
    assert seen == ["cancelled"]
