"""The supervising point: the tasks of a worker, and the first failure of any of them or of whoever reports one.

Whatever goes wrong in an agent, a task or Faust itself comes to `fail`. Nothing is noted and gone on with.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Coroutine

_log = structlog.get_logger(__name__)


class Supervisor:
    """Made within a running loop. `stopping` says that the worker is on its way out, told to or failed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._failure: asyncio.Future[BaseException] = self._loop.create_future()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    @property
    def failure(self) -> BaseException | None:
        """What failed first."""
        return self._failure.result() if self._failure.done() else None

    def stop(self) -> None:
        """End the wait in `until_told`."""
        self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """Note the first failure. May be called from another thread."""
        self._loop.call_soon_threadsafe(self._note, error)

    def _note(self, error: BaseException) -> None:
        # Torn-down connections complain in many ways; while stopping only our own errors mean something.
        if self.failure is None and (isinstance(error, EngineError) or not self.stopping):
            _log.error("the worker fails", error=str(error), kind=type(error).__name__)
            self._failure.set_result(error)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run `work` beside the others; its failure is the worker's."""
        task = asyncio.create_task(self.guard(work))
        self._tasks.append(task)
        return task

    async def guard(self, work: Coroutine[object, object, None]) -> None:
        """Await `work`; what it raises goes to `fail`."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 (the supervising point: the worker ends and raises it)
            self.fail(error)

    async def until_told(self) -> None:
        """Until `stop` is called or something fails."""
        stopping = asyncio.create_task(self._stopping.wait())
        waiting: set[asyncio.Future[Any]] = {stopping, self._failure}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    def cancel_all_but(self, kept: asyncio.Task[None]) -> None:
        """Cancel every other task."""
        for task in self._tasks:
            if task is not kept:
                task.cancel()

    async def end(self) -> None:
        """Cancel every task and wait for it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
