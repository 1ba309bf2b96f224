"""Seats: which alert of each series is on, apart or in a storm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from engine.model.trigger import Member


class Seats:
    """The alerts in `seats` by series. Late data speak of two of a series on the way through a barrier: then the one
    that began last has the seat, and the other waits behind it.
    """

    def __init__(self, seats: dict[str, Member]) -> None:
        self._seats = seats
        self._behind: dict[str, list[Member]] = {}

    def holds(self, series: str, opened: str) -> bool:
        """Whether the alert that began then is on."""
        return any(each.event_time == opened for each in self._of(series))

    def give(self, alert: Member) -> None:
        """The alert is on, or what is said of it is new."""
        others = [each for each in self._of(alert.series) if each.event_time != alert.event_time]
        self._seat(alert.series, [*others, alert])

    def take(self, series: str, opened: str) -> Member:
        """The alert, which is on here no longer. KeyError when it was not."""
        there = {each.event_time: each for each in self._of(series)}
        gone = there.pop(opened)
        self._seat(series, list(there.values()))
        return gone

    def copied(self, seats: dict[str, Member]) -> Seats:
        """The same in `seats`, a copy of its own."""
        copy = Seats(seats)
        copy._behind = {series: list(alerts) for series, alerts in self._behind.items()}
        return copy

    def _of(self, series: str) -> list[Member]:
        there = [self._seats[series]] if series in self._seats else []
        return [*self._behind.get(series, ()), *there]

    def _seat(self, series: str, alerts: list[Member]) -> None:
        alerts.sort(key=lambda each: parse_own_time(each.event_time))
        self._behind[series] = alerts[:-1]
        if alerts:
            self._seats[series] = alerts[-1]
        else:
            self._seats.pop(series, None)
