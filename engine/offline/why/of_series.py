"""The gates of stage 1: from the first measurement of a series to a condition that has held long enough."""

from __future__ import annotations

from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING, Any

from engine.kernels.layout import FIRING, PENDING, UNSET, WINDOWS
from engine.kernels.windows import index_of, start_of
from engine.model.time import Micros, format_time
from engine.offline.why.gates import Stop
from engine.offline.why.judged import bounds_stop, warm_up_stop
from engine.offline.why.trail import trail_of
from engine.offline.why.watch import concerns, instance_of, is_declared, newest_of
from engine.review.spans import duration, window_named
from engine.rules.resolved.condition import MissingData
from engine.rules.resolved.selector import selects, words_of

if TYPE_CHECKING:
    from engine.offline.why.named import Named
    from engine.offline.why.standing import Standing
    from engine.offline.why.trail import Point, Verdict
    from engine.offline.why.watch import Place
    from engine.rules.resolved.rule import Rule

STATES = {-1: "disabled", 0: "inactive", 1: "pending", 2: "firing", 3: "recovering"}
"""By phase of `kernels.layout`."""


class OnSeries:
    """A rule of stage 1 on a series, as they stand; `asked` is the time that the question is about."""

    def __init__(self, standing: Standing, rule: Rule, series: Named, place: Place | None, asked: Micros) -> None:
        self.standing, self.rule, self.series, self.asked = standing, rule, series, asked
        self.rules, self.state = standing.rules, standing.first.state
        self._place = place

    @property
    def place(self) -> Place:
        """Where it stands. LookupError where the series is not there."""
        if self._place is None:
            raise LookupError(self.series.key)
        return self._place

    @property
    def row(self) -> Any:
        """The rule's parameters as its kernel takes them."""
        return self.state.plan.rules[self.place.rule_row]

    @cached_property
    def trail(self) -> list[Verdict]:
        """The verdict on each point so far."""
        return trail_of(self.row, self.standing.watch.points)

    @property
    def phase(self) -> int:
        """As in `kernels.layout`."""
        return int(instance_of(self.state, self.place)["phase"])

    @property
    def opened(self) -> str:
        """The event time that the alert began at, while it is on."""
        return format_time(int(instance_of(self.state, self.place)["opened"]))

    def when(self, point: Point) -> str:
        """`on 2013-02-08`, `from ... to ...`, `at ...`."""
        if self.rule.points == "raw":
            return f"at {format_time(point.end)}"
        return window_named(format_time(point.start), format_time(point.end), self.rule.window, self.rules)

    def stop(self) -> Stop | None:
        """The first gate of stage 1 that is shut; None: the rule fires on the series."""
        return self._there() or (self._silence() if isinstance(self.rule.condition, MissingData) else self._judged())

    def _there(self) -> Stop | None:
        words = self.series.words(self.rules)
        if self._place is None or not self._is_known():
            return Stop(
                "no_such_series",
                f"There is no {words}: nobody has declared the series, and nothing of it was measured.",
                needed="a measurement, or the series among those of the KPI",
            )
        if concerns(self.state, self.place):
            return None
        if isinstance(self.rule.condition, MissingData) and selects(self.rule.where, self.series.dimensions):
            told = f"{self.rule.id} looks for silence of declared series only, and {words} is not declared."
            return Stop("where", told, "not declared", "the series among those of the KPI")
        wanted = ", ".join(f"{name} {words_of(meant)}" for name, meant in sorted(self.rule.where.items()))
        found = ", ".join(f"{name} {self.series.dimensions.get(name, '-')}" for name in sorted(self.rule.where))
        return Stop("where", f"{self.rule.id} looks only at series with {wanted}; this one has {found}.", found, wanted)

    def _is_known(self) -> bool:
        """Files are read ahead: a series may have its rows before anything of it has come."""
        measured = newest_of(self.state, self.place) is not None or self.standing.watch.refused.total() > 0
        return measured or is_declared(self.rules, self.series.key)

    def _silence(self) -> Stop | None:
        if self.phase >= FIRING:
            return None
        series = self.state.tables.series[int(self.state.tables.slots[self.place.slot]["series"])]
        waiting, after = int(series["waiting"]), int(self.row["after"])
        waited = 0 if UNSET in (waiting, self.standing.now or UNSET) else (self.standing.now or 0) - waiting
        newest = newest_of(self.state, self.place)
        seen = "has never been measured" if newest is None else f"was last measured at {format_time(newest)}"
        words, silent = self.series.words(self.rules), f"silent for {duration(waited)}, not for {duration(after)}"
        told = f"{words} {seen} and has been {silent}."
        since = None if waiting == UNSET else format_time(waiting)
        return Stop("within_bounds", told, duration(waited), duration(after), since, waited / 1e6, after / 1e6)

    def _judged(self) -> Stop | None:
        firing = self.phase >= FIRING
        found = None if firing else self._no_data() or self._first_window() or self._ended() or self._stale()
        if firing or found is not None:
            return found
        last = self.trail[-1]
        if len(self.trail) <= self.rule.warm_up:
            return self._warming_up()
        if not last.known:
            return warm_up_stop(self, last)
        if self.phase == PENDING:
            return self._for(last)
        return self._too_seldom(last) if self._breaches else bounds_stop(self, last)

    def _no_data(self) -> Stop | None:
        if newest_of(self.state, self.place) is not None:
            return None
        refused = self.standing.watch.refused
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
        also = f"; refused: {listed}" if listed else ""
        told = f"Nothing of {self.series.words(self.rules)} was accepted by {format_time(self.asked)}{also}."
        return Stop("no_data", told, f"{sum(refused.values())} refused" if listed else "nothing", "a measurement")

    def _first_window(self) -> Stop | None:
        if self.trail:
            return None
        index, count = self._open()
        told = f"The first window of {self.series.words(self.rules)}, {self._window(index)}, has not closed"
        return Stop(
            "window_open", f"{told}: it holds {_measurements(count)}.", _measurements(count), self._closes(index)
        )

    def _ended(self) -> Stop | None:
        """Silence that ends alerts, while it goes on."""
        series = self.state.tables.series[int(self.state.tables.slots[self.place.slot]["series"])]
        waiting, after = int(series["waiting"]), self.rule.ends_after
        if not after or UNSET in (waiting, self.standing.now or UNSET) or (self.standing.now or 0) - waiting < after:
            return None
        last = format_time(int(series["newest"]))
        silent = f"silence for {duration(after)} ends alerts of {self.rule.id}, and what led up to one"
        told = f"Nothing of {self.series.words(self.rules)} was measured since {last}: {silent}."
        return Stop("stale", told, "no measurement", "a measurement", last)

    def _stale(self) -> Stop | None:
        view, newest = self._view, newest_of(self.state, self.place)
        if view["kind"] != WINDOWS or newest is None:
            return None
        empty = int(index_of(view, self.state.tables.calendars, newest)) + int(view["span"])
        if self.asked < self._start(empty + 1) + int(view["lateness"]):
            return None
        words, last = self.series.words(self.rules), format_time(newest)
        when = self._window(empty)
        told = f"Nothing of {words} was measured since {last}: {when} there was nothing to judge."
        return Stop("stale", told, "no measurement", f"a measurement {when}", last)

    def _warming_up(self) -> Stop:
        seen, wanted = len(self.trail), self.rule.warm_up
        told = f"{self.series.words(self.rules)} has had {seen} of the {wanted} points that {self.rule.id} lets pass."
        return Stop("warm_up", told, f"{seen}", f"{wanted + 1}", number=float(seen), limit=float(wanted + 1))

    def _too_seldom(self, last: Verdict) -> Stop:
        m, of = self.rule.at_least or (1, 1)
        told = (
            f"{self.series.words(self.rules)} was past its limit in {self._breaches} of the last {of} points "
            f"{self.when(last.point)}; {self.rule.id} asks for {m}."
        )
        return Stop("at_least", told, f"{self._breaches}", f"{m}", number=float(self._breaches), limit=float(m))

    @property
    def _breaches(self) -> int:
        """In how many of the points that `at_least` counts it held."""
        return int(instance_of(self.state, self.place)["recent"]).bit_count()

    def _for(self, last: Verdict) -> Stop:
        since, wanted = int(instance_of(self.state, self.place)["since"]), self.rule.for_
        held, often = last.point.end - since, ""
        if self.rule.at_least is not None:
            often = f" in {last.held} of the last {self.rule.at_least[1]} points"
        told = (
            f"{self.series.words(self.rules)} was past its limit{often} {self.when(last.point)}, for {duration(held)} "
            f"now; {self.rule.id} waits for {duration(wanted)}."
        )
        return Stop("for", told, duration(held), duration(wanted), format_time(since), held / 1e6, wanted / 1e6)

    @property
    def _view(self) -> Any:
        return self.state.plan.views[int(self.row["view"])]

    def _start(self, index: int) -> Micros:
        return int(start_of(self._view, self.state.tables.calendars, index))

    def _window(self, index: int) -> str:
        begin, end = self._start(index - int(self._view["span"]) + 1), self._start(index + 1)
        return window_named(format_time(begin), format_time(end), self.rule.window, self.rules)

    def _closes(self, index: int) -> str:
        end = format_time(self._start(index + 1) + int(self._view["lateness"]))
        return f"a measurement from {end} on, or none for {duration(int(self._view['idle']))}"

    def _open(self) -> tuple[int, int]:
        """The first window that is open and holds something, and how many measurements; 0 where none does."""
        slot, view = self.state.tables.slots[self.place.slot], self._view
        span = int(view["span"])
        for index in range(int(slot["closed"]), int(slot["newest"]) + span):
            count = sum(self._held(cell) for cell in range(index - span + 1, index + 1))
            if count:
                return index, count
        return int(slot["closed"]), 0

    def _held(self, index: int) -> int:
        slot, length = self.state.tables.slots[self.place.slot], int(self._view["cells"])
        cell = self.state.tables.cells[int(slot["cell"]) + index % length]
        return int(cell["count"]) if int(cell["index"]) == index else 0

    def open_window(self) -> str | None:
        """What has come since the last window that closed."""
        if self._view["kind"] != WINDOWS or newest_of(self.state, self.place) is None:
            return None
        index, count = self._open()
        if not count:
            return None
        return f"{self._window(index)}: {_measurements(count)} so far; it closes with {self._closes(index)}"


def _measurements(count: int) -> str:
    return f"{count} measurement{'' if count == 1 else 's'}"


def number_of(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if isnan(value) else float(value)
