"""Whether the lanes get on: what health and metrics show of them, and when the worker must end.

Faust's way with a consumer that hangs is to stay up and say nothing. Here every lane is looked at again and again: it
moved when it took a batch, or when nothing is there to take. A broker that never answers counts as standing still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from faust.types import TP

    from engine.model.time import Micros
    from engine.stream.lane import Lane
    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics


class Progress:
    """`end_seen` gives a partition's end as the last fetch told it; `clock` reads microseconds that never go back."""

    def __init__(
        self,
        health: Health,
        metrics: Metrics,
        *,
        end_seen: Callable[[TP], int | None],
        clock: Callable[[], Micros],
        timeout: Micros,
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._end_seen = end_seen
        self._clock = clock
        self._timeout = timeout
        self._positions: dict[TP, int] = {}

    def expect(self, tp: TP) -> None:
        """A partition was given to us; it is recovering."""
        self._health.expect(_name(tp), self._clock())

    def recovered(self, tp: TP) -> None:
        """It has its state back and consumes."""
        self._health.recovered(_name(tp), self._clock())

    def drop(self, tp: TP) -> None:
        """It went elsewhere."""
        self._health.drop(_name(tp))
        self._positions.pop(tp, None)
        self._metrics.consumer_lag.remove_by_labels({"topic": tp.topic, "partition": str(tp.partition)})

    def lag(self, lane: Lane) -> int | None:
        """Records that the lane has not taken; None before a fetch has told where the partition ends."""
        end = self._end_seen(lane.tp)
        return max(0, end - lane.position) if end is not None else None

    def look(self, lanes: Iterable[Lane]) -> None:
        """Note what moved. BrokerError when something has not for the whole time-out: the worker is of no use."""
        now = self._clock()
        for lane in lanes:
            lag = self.lag(lane)
            if lag == 0 or self._positions.get(lane.tp) != lane.position:
                self._health.moved(_name(lane.tp), now)
            self._positions[lane.tp] = lane.position
            self._metrics.consumer_lag.labels(lane.tp.topic, lane.tp.partition).set(lag or 0)
        stalled = self._health.stalled(now, self._timeout)
        if stalled:
            raise BrokerError(
                f"no progress for {self._timeout // 1_000_000} s on {', '.join(stalled)}, with records to take or "
                "state to recover; this worker ends so that another can start in its place"
            )


def _name(tp: TP) -> str:
    return f"{tp.topic}[{tp.partition}]"
