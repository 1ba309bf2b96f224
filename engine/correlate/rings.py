"""Rings: the last windows of one KPI in one scope, with the share that each series put into each of them."""

from __future__ import annotations

import msgspec

from engine.model.records import Ids, JoinRecord, Parts, WindowBounds
from engine.model.time import Micros


class Share(msgspec.Struct, frozen=True):
    """What one series sent for one window; a higher revision restates it."""

    revision: int
    parts: Parts
    ids: Ids


class RingWindow(msgspec.Struct):
    """One window. `first`: time of the barrier that brought its first share. `ready`: it may be judged."""

    bounds: WindowBounds
    first: Micros
    shares: dict[str, Share] = {}
    ready: bool = False


class Ring(msgspec.Struct):
    """The windows of one KPI in one scope by index. `origin` is the first index that ever came."""

    kpi: str
    origin: int
    windows: dict[int, RingWindow] = {}
    unready: list[int] = []

    def put(self, record: JoinRecord, barrier_time: Micros) -> bool:
        """Keep a share; False when it is a repeat or older than the one that is there."""
        index = record.window.index
        window = self.windows.get(index)
        if window is None:
            window = self.windows[index] = RingWindow(record.window, barrier_time)
            self.unready.append(index)
            self.origin = min(self.origin, index)
        known = window.shares.get(record.series)
        if known is not None and known.revision >= record.revision:
            return False
        window.shares[record.series] = Share(record.revision, record.parts, record.ids)
        return True

    def missing(self, index: int, members: int) -> tuple[str, ...]:
        """The series that sent something in the `members` windows before this one and nothing for it, sorted."""
        there = self.windows[index].shares if index in self.windows else {}
        absent: set[str] = set()
        for earlier in range(index - members, index):
            window = self.windows.get(earlier)
            if window is not None:
                absent.update(series for series in window.shares if series not in there)
        return tuple(sorted(absent))

    def settle(self, barrier_time: Micros, idle: Micros, members: int) -> list[int]:
        """The windows that may be judged from this barrier on: all members have sent, or `idle` has passed."""
        settled = [
            index
            for index in sorted(self.unready)
            if barrier_time >= self.windows[index].first + idle or not self.missing(index, members)
        ]
        for index in settled:
            self.windows[index].ready = True
            self.unready.remove(index)
        return settled

    def spans(self, index: int, over: int) -> list[RingWindow]:
        """The windows from `index` - `over` + 1 to `index`; none where that begins before anything ever came.

        A window without a measurement in between adds nothing, but a ring that is only starting is not a low value.
        """
        if index - over + 1 < self.origin:
            return []
        span = range(index - over + 1, index + 1)
        return [self.windows[each] for each in span if each in self.windows]

    def forget(self, below: int) -> None:
        """Drop the windows below an index."""
        if self.windows and min(self.windows) < below:
            for index in [index for index in self.windows if index < below]:
                del self.windows[index]
            self.unready = [index for index in self.unready if index >= below]

    def wake(self, idle: Micros) -> Micros | None:
        """When the next window may be judged at the latest; None when nothing waits."""
        return min((self.windows[index].first + idle for index in self.unready), default=None)
