"""Seats: which alert of each series is on, apart or in a storm, and which were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from engine.model.trigger import Member


LEFT_KEPT: Final = 8
"""Ended alerts of a series that late data can still reach; older ones are final."""


class Left:
    """The last alerts of each series that were members of a storm and have ended, in `left`: the first of a series by
    its name alone, the others with a number.
    """

    def __init__(self, left: dict[str, Member]) -> None:
        self._left = left

    def place(self, series: str, opened: str) -> str | None:
        """Where the alert that began then is; None where it is not."""
        return next((each for each in _places(series) if self._opened(each) == opened), None)

    def note(self, alert: Member) -> None:
        """It has ended: of too many the one that began first goes."""
        places = _places(alert.series)
        free = next((each for each in places if each not in self._left), None)
        first = min(places, key=lambda each: parse_own_time(self._opened(each) or alert.event_time))
        self._left[free or first] = alert

    def put(self, place: str, alert: Member) -> None:
        """What is said of an alert there is new."""
        self._left[place] = alert

    def take(self, place: str) -> Member:
        """The alert that was there."""
        return self._left.pop(place)

    def _opened(self, place: str) -> str | None:
        known = self._left.get(place)
        return None if known is None else known.event_time


def _places(series: str) -> list[str]:
    return [series, *(f"{series}|{number}" for number in range(1, LEFT_KEPT))]


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
