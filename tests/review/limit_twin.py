"""The slow and obvious storm: every alert as an object, and all of them looked at anew after each event time."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class NaiveAlert:
    """`review` is where it is told: "own", "storm", or None while nobody was told of it."""

    series: str
    opened: int
    on: bool = True
    review: str | None = None


@dataclass
class NaiveLimit:
    """Events are (event time, series, what): `fires`, `ends`, `never` (it never fired), `not over` (it did not end)."""

    limit: int
    alerts: list[NaiveAlert] = field(default_factory=list)
    rages: bool = False

    def barrier(self, events: Iterable[tuple[int, str, str]]) -> None:
        for time, step in groupby(events, key=lambda event: event[0]):
            of_step = list(step)
            self.rages = self.rages and self._firing_after(of_step) > self.limit // 2
            for _, series, what in of_step:
                self._hear(time, series, what)
            firing = [alert for alert in self.alerts if alert.on]
            if len(firing) > self.limit:
                self.rages = True
            elif len(firing) <= self.limit // 2:
                self.rages = False
            if self.rages:
                for alert in firing:
                    alert.review = alert.review or "storm"
        for alert in self.alerts:
            alert.review = alert.review or "own"

    def _firing_after(self, step: list[tuple[int, str, str]]) -> int:
        """What begins at the time at which the storm is over is not of it."""
        trial = deepcopy(self)
        for event in step:
            trial._hear(*event)  # noqa: SLF001 (a copy)
        return sum(alert.on for alert in trial.alerts)

    def _hear(self, time: int, series: str, what: str) -> None:
        mine = [alert for alert in self.alerts if alert.series == series]
        if what == "fires":
            self.alerts.append(NaiveAlert(series, time, review="storm" if self.rages else None))
        elif what == "never":
            self.alerts.remove(mine[-1])
        else:
            mine[-1].on = what == "not over"

    def own(self) -> set[tuple[str, int]]:
        return {(alert.series, alert.opened) for alert in self.alerts if alert.review == "own"}

    def storm(self) -> set[str]:
        return {alert.series for alert in self.alerts if alert.on and alert.review == "storm"}
