"""Sending history: measurements in the order of their event time, with the replay ticks that belong between them.

A tick k (time k x interval) stands in every partition behind all measurements up to its time and before later ones:
so the engine's clock moves with the history, whatever the day on which it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.errors import WireError
from engine.model.identity import series_key
from engine.model.records import Tick
from engine.model.time import Micros, format_time
from engine.wire.control import encode_control
from engine.wire.encode import encode_measurement
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.measurement import Provenance

TICKS_AT_ONCE_MAX = 1_000_000
"""A gap in the history that would take more ticks than this is refused: the interval is too short for it."""


class Sink(Protocol):
    """Where records go: one topic, measurements."""

    def send(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Queue a record; the order within a partition is kept. May wait. BrokerError when it cannot be sent."""

    def flush(self) -> None:
        """Return when all is acknowledged; BrokerError when something was not."""


class Sent(NamedTuple):
    """What went out: measurements, and ticks (each counted once, not once a partition)."""

    measurements: int
    ticks: int


class Replay:
    """Writes a history to `sink`, which leads to a topic of `partitions` partitions.

    `tick_interval` in microseconds; None writes no ticks, and measurements may come in any order. Measurements go to
    the partition that owns their series.
    """

    def __init__(self, sink: Sink, partitions: int, tick_interval: Micros | None) -> None:
        self._sink = sink
        self._partitions = partitions
        self._interval = tick_interval
        self._places: dict[tuple[object, ...], tuple[int, bytes]] = {}
        self._tick: int | None = None
        self._newest: Micros | None = None
        self._measurements = 0
        self._ticks = 0

    def measurement(
        self,
        kpi: str,
        dimensions: Mapping[str, str],
        time: Micros,
        value: float,
        *,
        id: str | None = None,  # noqa: A002 (the field's name in the contract)
        source: str | None = None,
        provenance: Provenance = "automated",
        revision: int = 0,
        sent: Micros | None = None,
    ) -> None:
        """Send one; the ticks before its time go first, or before the time at which it was `sent`, late or restated.

        Without an id the engine derives one from KPI, dimensions and time. WireError `out_of_order` when ticks are
        written and it lies at or before the last of them, `not_finite` for a value that no measurement may have.
        """
        if self._interval is not None:
            self._tick_until(time if sent is None else sent, self._interval)
        elif self._newest is None or time > self._newest:
            self._newest = time
        message = encode_measurement(
            kpi, time, value, dimensions, id=id, source=source, provenance=provenance, revision=revision
        )
        partition, key = self._place(kpi, dimensions)
        self._sink.send(partition, key, message)
        self._measurements += 1

    def begin(self, time: Micros) -> None:
        """Let the clock stand at `time` before the first measurement; without this it begins at that one's time."""
        if self._interval is not None:
            self._tick_until(time, self._interval)

    def finish(self, extra: Micros = 0) -> Sent:
        """Write ticks up to `extra` past the newest measurement, so that the last windows close; flush."""
        if self._interval is not None and self._newest is not None:
            self._write_ticks((self._newest + extra) // self._interval, self._interval)
        self._sink.flush()
        return Sent(self._measurements, self._ticks)

    def _tick_until(self, time: Micros, interval: Micros) -> None:
        due = -(-time // interval) - 1  # the last tick whose time is before `time`
        if self._newest is None:
            self._newest, self._tick = time, due - 1
        if self._tick is not None and due < self._tick:
            raise WireError(
                "out_of_order",
                f"expected measurements in the order of their time, found {format_time(time)} behind the tick of "
                f"{format_time(self._tick * interval)}; sort them",
                path="$.time",
            )
        self._newest = max(self._newest, time)
        self._write_ticks(due, interval)

    def _write_ticks(self, last: int, interval: Micros) -> None:
        first = last if self._tick is None else self._tick + 1
        if last - first > TICKS_AT_ONCE_MAX:
            raise WireError(
                "too_many_ticks",
                f"expected at most {TICKS_AT_ONCE_MAX} ticks between two measurements, found {last - first} before "
                f"{format_time(last * interval)}; take a longer tick interval",
            )
        for number in range(first, last + 1):
            record = encode_control(Tick("replay", number, format_time(number * interval)))
            for partition in range(self._partitions):
                self._sink.send(partition, record.key, record.value, record.headers)
            self._tick = number
            self._ticks += 1

    def _place(self, kpi: str, dimensions: Mapping[str, str]) -> tuple[int, bytes]:
        """Partition and key of a series; a spelling of it is looked up only once."""
        spelling = (kpi, *dimensions.items())
        found = self._places.get(spelling)
        if found is None:
            key = series_key(kpi, dimensions).encode()
            found = self._places[spelling] = (owner(key, self._partitions), key)
        return found
