"""Whether a worker is ready, and whether it moves: what the endpoint answers and the worker exits by.

A *part* is what can stand still on its own: one partition of one stage, a tick writer, an ingest agent. Times are
passed in as microseconds of a clock that only goes forward. Safe to use from several threads.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.model.time import Micros


class Part(NamedTuple):
    """When it last moved, and whether it has recovered."""

    moved: Micros
    recovered: bool


class Health:
    """Ready when at least one part is there, every part has recovered, and the worker is not draining."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._parts: dict[str, Part] = {}
        self._draining = False

    def expect(self, part: str, now: Micros) -> None:
        """From now on `part` has to move; it is recovering until `recovered`."""
        with self._lock:
            self._parts[part] = Part(now, recovered=False)

    def recovered(self, part: str, now: Micros) -> None:
        """`part` has its state back and consumes."""
        with self._lock:
            self._parts[part] = Part(now, recovered=True)

    def moved(self, part: str, now: Micros) -> None:
        """`part` got on: it took a batch, or found that there is none to take. Unknown parts are ignored: a stamp
        may arrive after its partition was given away.
        """
        with self._lock:
            if part in self._parts:
                self._parts[part] = self._parts[part]._replace(moved=now)

    def drop(self, part: str) -> None:
        """`part` is no longer ours."""
        with self._lock:
            self._parts.pop(part, None)

    def drain(self) -> None:
        """The worker is on its way out: no longer ready."""
        with self._lock:
            self._draining = True

    @property
    def ready(self) -> bool:
        """Recovered and consuming."""
        with self._lock:
            return not self._draining and bool(self._parts) and all(part.recovered for part in self._parts.values())

    @property
    def recovering(self) -> tuple[str, ...]:
        """The parts that have not recovered yet."""
        with self._lock:
            return tuple(sorted(name for name, part in self._parts.items() if not part.recovered))

    def age(self, now: Micros) -> Micros:
        """Since when the part that moved longest ago has stood; 0 without parts."""
        with self._lock:
            return max((now - part.moved for part in self._parts.values()), default=0)

    def stalled(self, now: Micros, limit: Micros) -> tuple[str, ...]:
        """The parts that have not moved for longer than `limit`: up without progress."""
        with self._lock:
            return tuple(sorted(name for name, part in self._parts.items() if now - part.moved > limit))
