"""How much CPU an awaitable uses by itself, whatever else its thread does while it waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from engine.model.time import Micros

ResultT = TypeVar("ResultT")


class CpuTimed(Generic[ResultT]):
    """Await it in place of `work`; `used` then holds the microseconds of its own steps."""

    def __init__(self, work: Awaitable[ResultT]) -> None:
        self.used: Micros = 0
        self._steps = work.__await__()

    def __await__(self) -> Generator[object, object, ResultT]:
        """Each step of `work` by the clock, also those that begin with a cancellation."""
        thrown: BaseException | None = None
        while True:
            began = time.thread_time_ns()
            try:
                waited_for = self._steps.send(None) if thrown is None else self._steps.throw(thrown)
            except StopIteration as done:
                result: ResultT = done.value
                return result
            finally:
                self.used += (time.thread_time_ns() - began) // 1_000
            thrown = None
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 (handed on to the work, a cancellation included)
                thrown = error
