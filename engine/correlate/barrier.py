"""Barriers: joins wait until every stage 1 partition has reported a tick, since Kafka orders nothing between them.

Also the place where repeats are dropped: a record whose position is not greater than the last from its partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.finding import Finding
from engine.model.records import JoinRecord, Progress, Signal
from engine.model.time import Micros, parse_own_time

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[int, int, int, int]
"""(semantics version, stage 1 partition, offset, ordinal) of what caused a record."""

Joinable = JoinRecord | Signal | Finding


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A record that waits for its barrier. `after`: the last tick its partition had reported when it came."""

    after: int
    partition: int
    record: Joinable


class Barrier(NamedTuple):
    """A completed barrier: tick number and time, and the records caused up to it, in the agreed order."""

    number: int
    time: Micros
    records: list[Joinable]


class Barriers(msgspec.Struct):
    """What has come from each of `partitions` stage 1 partitions, and what waits for the others.

    `times` holds the ticks that somebody has reported and that are not completed. `done` is the last completed one.
    """

    partitions: int
    last: dict[int, Place] = {}
    progress: dict[int, int] = {}
    times: dict[int, Micros] = {}
    waiting: list[Waiting] = []
    done: int | None = None

    def accept(self, place: Place) -> bool:
        """Whether a record is new; remembers it. Repeats after a crash of stage 1 are not."""
        known = self.last.get(place[1])
        if known is not None and (place[0], place[2], place[3]) <= (known[0], known[2], known[3]):
            return False
        self.last[place[1]] = place
        return True

    def hold(self, partition: int, record: Joinable) -> None:
        """Keep a record until the barrier that it was caused before."""
        self.waiting.append(Waiting(self.progress.get(partition, _NO_TICK), partition, record))

    def report(self, progress: Progress) -> Iterator[Barrier]:
        """Take one partition's progress; yields each barrier that this completes, one number after another."""
        partition, number = progress.partition, progress.tick
        if number <= self.progress.get(partition, _NO_TICK):
            return
        if self.done is None or number > self.done:
            self.times[number] = parse_own_time(progress.time)
        self.progress[partition] = number
        if len(self.progress) < self.partitions:
            return
        reached = min(self.progress.values())
        for ready in sorted(tick for tick in self.times if tick <= reached):
            yield self._complete(ready)

    def _complete(self, number: int) -> Barrier:
        time = self.times.pop(number)
        self.done = number
        taken = [waiting.record for waiting in self.waiting if waiting.after < number]
        if taken:
            self.waiting = [waiting for waiting in self.waiting if waiting.after >= number]
        return Barrier(number, time, in_order(taken))


_NO_TICK = -(2**62)


def in_order(records: list[Joinable]) -> list[Joinable]:
    """By (event time, rule, series, window, revision).

    One series' findings and signals never overtake each other: one that came later counts as at least as late, since an
    amended verdict may carry an earlier event time than the one that it follows.
    """
    latest: dict[tuple[str, str, str], Micros] = {}
    keyed = []
    for record in records:
        rule, series, window, revision = _sort_name(record)
        time = event_time_of(record)
        if not isinstance(record, JoinRecord):
            member = (rule, record.rule, series)
            time = latest[member] = max(time, latest.get(member, time))
        keyed.append(((time, rule, series, window, revision), record))
    keyed.sort(key=lambda pair: pair[0])
    return [record for _, record in keyed]


def event_time_of(record: Joinable) -> Micros:
    """A window's end, or the event time that a finding or signal carries."""
    return parse_own_time(record.window.end if isinstance(record, JoinRecord) else record.event_time)


def _sort_name(record: Joinable) -> tuple[str, str, int, int]:
    if isinstance(record, JoinRecord):
        # The KPI is part of the series' key, so that equal keys are restatements of one share.
        return record.correlation, record.series, record.window.index, record.revision
    if isinstance(record, Signal):
        # A stable sort keeps the order of one partition, and one series' signals all come from one.
        return record.correlation, f"{record.series}|{record.rule}", 0, 0
    return record.rule, record.series, 0, 0
