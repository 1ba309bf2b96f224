"""Work beside other work: what releases the interpreter, such as the kernels and Arrow, leaves it to another thread.

Nothing changes its order: the results are those of one thread.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
_TURN = 0.0005
"""Seconds. A kernel runs for some milliseconds: by default its thread would wait as long for the interpreter again."""


@contextmanager
def short_turns() -> Iterator[None]:
    """For as long as something runs, a thread that wants the interpreter waits but shortly for one that computes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made while the one before it is used: one more than without is held."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


class Beside:
    """Does one thing after the other in a thread of its own.

    What one raises is raised by the next `do` or by `finish`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._doing: Future[object] | None = None

    def do(self, what: Callable[[Item], object], item: Item) -> None:
        """Have this done with the item; waits until what came before it is."""
        self.wait()
        self._doing = self._thread.submit(what, item)

    def finish(self) -> None:
        """Wait until everything is done."""
        self.wait()
        self._thread.shutdown()

    def wait(self) -> None:
        """Wait until what came last is done."""
        if self._doing is not None:
            self._doing.result()
