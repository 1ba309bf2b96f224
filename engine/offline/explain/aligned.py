"""What the evidence of all rules over aligned windows has in common: the window, and what each side is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from engine.correlate import judge as arithmetic
from engine.model.records import WindowBounds
from engine.offline.explain.account import Check, Line, holds, same, shown
from engine.offline.explain.case import kpi_of, micros
from engine.offline.explain.parts import sound_parts
from engine.review.spans import window_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.correlate.sides import AlignedSide
    from engine.correlate.terms import Term
    from engine.model.finding import Episode
    from engine.model.trigger import ReconciledSide, SeriesShare, SideEvidence
    from engine.offline.explain.case import Case

SaidT = TypeVar("SaidT", bound="SideEvidence | ReconciledSide")
EVIDENCE = "data.evidence"
_BOUNDS = ("start", "end", "index")


def window_line(
    case: Case, over: int, window: WindowBounds, sides: Iterable[tuple[tuple[WindowBounds, ...], int]]
) -> Line:
    """The merged window, held against the windows (and the lag) of the first side that has any."""
    path = f"{EVIDENCE}.window"
    checks = [same("data.event_time", case.data.event_time, window.end)]
    there = [(windows, lag) for windows, lag in sides if windows]
    if there:
        windows, lag = there[0]
        expected = WindowBounds(windows[0].start, windows[-1].end, windows[-1].index - lag)
        checks += [same(f"{path}.{name}", getattr(window, name), getattr(expected, name)) for name in _BOUNDS]
    named = window_named(window.start, window.end, case.rule.window, case.rules, over=True)
    exact = "" if case.rule.window.zone is None else f" ({window.start} to {window.end})"
    merged = f"{over} windows merged" if over > 1 else "one window"
    return Line("window", f"{named}{exact}, number {window.index}; {merged}", tuple(checks))


class SideLines(Generic[SaidT]):
    """One side: what the trigger says of its windows and shares. `at` is its own window index."""

    def __init__(self, case: Case, over: int, side: AlignedSide, said: SaidT, path: str, at: int) -> None:
        self.case, self.over, self.said, self.path, self.at = case, over, said, path, at
        self.merged = side
        self.view = case.join_view()
        self.whole = len(said.shares) == said.shares_count

    def _parts(self, kpi: str) -> list[SeriesShare]:
        return [share for share in self.said.shares if share.series.partition("{")[0] == kpi]

    def rolled_up(self, kpi: str) -> float | None:
        """What is merged of one KPI, from its shares."""
        parts = [share.parts for share in self._parts(kpi)]
        return arithmetic.aggregate(parts, self.merged.rolled[kpi], self.said.windows) if parts else None

    def values(self) -> list[float | None]:
        """The values of its KPIs, from the shares."""
        return self.merged.values({kpi: self.rolled_up(kpi) for kpi in self.merged.rolled})

    def term_formula(self, term: Term) -> str:
        """How a KPI of it comes of the shares, in words."""
        merged = [(how, name, shown(self.rolled_up(name))) for name, how in term.rolled.items()]
        if term.formula is None:
            return " ".join((merged[0][0], merged[0][2]))
        return f"({term.text} with {', '.join(f'{name} {how} {value}' for how, name, value in merged)})"

    def windows_line(self) -> Line:
        """The windows that are merged."""
        checks = [
            check
            for place, window in enumerate(self.said.windows)
            for check in self._in_place(window, f"{self.path}.windows[{place}]")
        ]
        if self.said.windows:
            newest = f"{self.path}.windows[{len(self.said.windows) - 1}].index"
            checks.append(same(newest, self.said.windows[-1].index, self.at))
        numbers = [window.index for window in self.said.windows]
        ordered = numbers == sorted(set(numbers))
        checks.append(holds(f"{self.path}.windows", numbers, true=ordered, why="each window once, in order"))
        return Line("windows", f"{len(numbers)}: number {_span(numbers)}" if numbers else "none", tuple(checks))

    def _in_place(self, window: WindowBounds, path: str) -> Iterator[Check]:
        expected = self.case.bounds(self.view, window.index)
        yield same(f"{path}.start", window.start, expected.start)
        yield same(f"{path}.end", window.end, expected.end)
        within = self.at - self.over < window.index <= self.at
        yield holds(f"{path}.index", window.index, true=within, why="one of the merged windows")

    def shares_line(self) -> Line:
        """What each series put into them."""
        said = self.said
        checks: list[Check] = []
        kpis = set(self.merged.rolled)
        for place, share in enumerate(said.shares):
            path = f"{self.path}.shares[{place}]"
            checks += self._in_place(share.window, f"{path}.window")
            checks += sound_parts(share.parts, f"{path}.parts", share.window.start, share.window.end)
            checks.append(same(f"{path}.ids_count", share.ids_count, share.parts.count))
            known = kpi_of(share.series) in kpis
            checks.append(holds(f"{path}.series", share.series, true=known, why=f"a series of {' or '.join(kpis)}"))
        series = len({share.series for share in said.shares})
        listed = len(said.shares) <= said.shares_count
        checks.append(
            holds(f"{self.path}.shares_count", said.shares_count, true=listed, why="not fewer than are listed")
        )
        left_out = "" if self.whole else f"; {len(said.shares)} are listed, so the value is not recomputed"
        measured = sum(share.parts.count for share in said.shares)
        return Line(
            "shares", f"{said.shares_count} of {series} series, {measured} measurements{left_out}", tuple(checks)
        )


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def sound_run(episode: Episode, window: WindowBounds, worse: dict[str, float], turn: str) -> Iterator[Check]:
    """What can be seen of a run in one of its windows, whose effects are `worse`, or in the one that ended it, whose
    are none of its own. Where it has not ended with that one, it may go on in later ones, which came at the same time.
    """
    is_in = micros(window.end) <= micros(episode.last)
    least = max(map(abs, worse.values()), default=0.0) if is_in else 0.0
    path, worst = "data.episode", episode.worst
    yield holds(f"{path}.worst", worst, true=abs(worst) >= least, why="no smaller than what is seen in this window")
    begun = micros(episode.first) < micros(episode.last)
    over = turn != "ended" or micros(episode.last) <= micros(window.end)
    why = "after the first, and where it has ended not after this window"
    yield holds(f"{path}.last", episode.last, true=begun and over, why=why)
    yield holds(f"{path}.points", episode.points, true=episode.points >= 1, why="at least one window")


def lasting(case: Case, episode: Episode, window: WindowBounds, turn: str) -> Iterator[Check]:
    """That the run had lasted for `for` where it began, and had been over for `keep_firing_for` where it ended."""
    path, rule, end = "data.episode", case.rule, micros(window.end)
    if turn == "began" and rule.for_:
        view = case.join_view()
        since = case.bounds(view, case.cell(view, episode.first) + int(view["span"]) - 1).end
        lasted = end - micros(since) >= rule.for_
        yield holds(f"{path}.first", episode.first, true=lasted, why="by then it had lasted for `for`")
    if turn == "ended" and rule.keep_firing_for:
        clear = end - micros(episode.last) >= rule.keep_firing_for
        yield holds(f"{path}.last", episode.last, true=clear, why="it had not held for `keep_firing_for`")
