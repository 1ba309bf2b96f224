"""Work beside other work: what releases the interpreter, such as the kernels and Arrow, leaves it to another thread.

Nothing changes its order: the results are those of one thread.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made while the one before it is used: one more than without is held."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


class Beside(Generic[Item]):
    """Takes items one after the other in a thread of its own, one waiting at most.

    What `take` raises is raised by the next `put` or by `finish`.
    """

    def __init__(self, take: Callable[[Item], None]) -> None:
        self._take = take
        self._thread = ThreadPoolExecutor(1)
        self._taken: Future[None] | None = None

    def put(self, item: Item) -> None:
        """Have the item taken; waits until the one before it is."""
        self._wait()
        self._taken = self._thread.submit(self._take, item)

    def finish(self) -> None:
        """Wait until everything is taken."""
        self._wait()
        self._thread.shutdown()

    def _wait(self) -> None:
        if self._taken is not None:
            self._taken.result()
