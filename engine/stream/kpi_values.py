"""Newest KPI values as gauges, where the operator has switched them on: what is written to kpi-state, capped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import parse_own_time
from engine.wire.partition import owner

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.telemetry.metrics import KpiGauges


class _Window(msgspec.Struct):
    end: str


class _Value(msgspec.Struct):
    """Of a KPI state, what a gauge shows."""

    kpi: str
    series: str
    value: float
    window: _Window


_decoder = msgspec.json.Decoder(_Value)


class KpiValues:
    """Shows the newest window of each series; one that is amended later does not take its place.

    `partitions`: how many measurements has.
    """

    def __init__(self, gauges: KpiGauges, partitions: int) -> None:
        self._gauges = gauges
        self._partitions = partitions
        self._ends: dict[tuple[str, str], Micros] = {}

    def wrote(self, value: bytes) -> None:
        """A KPI state was written."""
        state = _decoder.decode(value)
        key, end = (state.kpi, state.series), parse_own_time(state.window.end)
        if end >= self._ends.get(key, end) and self._gauges.show(state.kpi, state.series, state.value):
            self._ends[key] = end

    def forget(self, partition: int) -> None:
        """The series of a measurements partition are another worker's to show."""
        for kpi, series in list(self._ends):
            if owner(series.encode(), self._partitions) == partition:
                del self._ends[kpi, series]
                self._gauges.forget(kpi, series)
