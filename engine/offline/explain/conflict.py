"""Evidence of a counterpart conflict, recomputed by the arithmetic that judged it: both sides, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate import judge as arithmetic
from engine.correlate.conflict import Conflict, state_of
from engine.correlate.evidence import SAID, limit_of
from engine.model.finding import Episode
from engine.model.trigger import TurnName
from engine.offline.explain.account import Check, Line, Step, alike, holds, same, shown
from engine.offline.explain.aligned import EVIDENCE, SideLines, lasting, sound_run, window_line
from engine.offline.explain.bottleneck import bottleneck_lines
from engine.offline.explain.often import recent_lines
from engine.review.numbers import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.conflict import Side
    from engine.correlate.judge import Judged, Usual
    from engine.model.trigger import ConflictEvidence, SideEvidence
    from engine.offline.explain.case import Case


def conflict_steps(case: Case, evidence: ConflictEvidence) -> Iterator[Step]:
    """The window, each side of it, and the verdict on all of them."""
    conflict = Conflict(case.rule, case.rules)
    there = [(said.windows, side.lag) for side, said in zip(conflict.sides, evidence.sides, strict=True)]
    yield Step("What was looked at", (window_line(case, conflict.over, evidence.window, there),))
    judged = []
    for side, said in zip(conflict.sides, evidence.sides, strict=True):
        told = _Side(case, conflict, side, said, evidence.window.index + side.lag)
        judged.append(told.judged)
        yield Step(told.title, tuple(told.lines()))
    known = {"conflict": True, "no_conflict": False}.get(evidence.verdict)
    often = recent_lines(case, evidence, on=known)
    yield Step("The verdict", (_verdict(evidence, judged), *often, *_lasted(case, conflict, evidence, judged)))


class _Side(SideLines["SideEvidence"]):
    """One side: `said` is what the trigger says of it, `judged` what comes out."""

    def __init__(self, case: Case, conflict: Conflict, side: Side, said: SideEvidence, at: int) -> None:
        super().__init__(case, conflict.over, side, said, f"{EVIDENCE}.sides[{side.number}]", at)
        self.conflict, self.side = conflict, side
        self.value = self._value()
        self.usual = self._usual()
        wanted: arithmetic.Verdict = "improved" if side.number == 0 else "worsened"
        self.judged = arithmetic.judge_side(self.value, self.usual, side.judge, side.direction, wanted)

    @property
    def title(self) -> str:
        per = f" per {self.side.per}" if self.side.per else ""
        lag = f", {self.side.lag} window{'' if self.side.lag == 1 else 's'} later" if self.side.lag else ""
        return f"{'Does it improve' if self.side.number == 0 else 'Does it worsen'}: {self.side.kpi}{per}{lag}"

    def _value(self) -> float | None:
        """None where members were still waited for, or the ring was only starting, as well as where nothing came."""
        waits = bool(self.said.missing) or len(self.said.windows) < self.conflict.over
        if not self.whole or (self.said.value is None and waits):
            return self.said.value
        values = self.values()
        return values[0] if self.side.per is None else arithmetic.ratio(values[0], values[-1])

    def _usual(self) -> Usual | None:
        points = self.said.baseline_points
        if self.side.judge.level is not None or not points:
            return None
        return arithmetic.usual_of(points, self.side.judge.count)

    def lines(self) -> Iterator[Line]:
        said, path = self.said, self.path
        named = (same(f"{path}.kpi", said.kpi, self.side.kpi), same(f"{path}.per", said.per, self.side.per))
        yield Line("KPI", f"{self._titles()}; {self.side.direction.replace('_', ' ')}", named)
        yield self.windows_line()
        yield self.shares_line()
        yield Line("value", self._formula(), (same(f"{path}.value", said.value, self.value),))
        yield from self._held_against()
        points = [point.value for point in said.baseline_points]
        yield from bottleneck_lines(said, path, self.side, points if len(points) == self.side.judge.count else ())
        if said.missing:
            yield Line("missing", f"nothing for this window came of {', '.join(said.missing)}")

    def _titles(self) -> str:
        return " per ".join(self.case.rules.kpi_by_id[kpi].title for kpi in self.side.kpis)

    def _formula(self) -> str:
        if self.value is None:
            return "not known"
        if not self.whole:
            return shown(self.value)
        sides = [self.term_formula(term) for term in self.side.terms]
        made = self.side.per or self.side.terms[0].formula
        return f"{' / '.join(sides)}{f' = {shown(self.value)}' if made else ''}"

    def _held_against(self) -> Iterator[Line]:
        said, judged, path, judge = self.said, self.judged, self.path, self.side.judge
        if judge.level is None:
            yield self._usual_line()
        yield Line("effect", self._effect(), (same(f"{path}.effect", said.effect, judged.effect),))
        limit, noise = limit_of(self.side, judged), judged.scale if judge.noise else 0.0
        checks = (same(f"{path}.limit", said.limit, limit), same(f"{path}.noise", said.noise, noise))
        yield Line("limit", self._limit(limit), checks)
        yield Line("verdict", judged.verdict, (same(f"{path}.verdict", said.verdict, judged.verdict),))

    def _effect(self) -> str:
        said = self.judged
        if said.effect is None:
            return "not known"
        if said.usual is None:
            return f"the value itself: {shown(said.effect)}"
        size = f"({shown(said.value)} - {shown(said.usual)}) / {shown(abs(said.usual))} = {shown(said.effect)}"
        return f"{size}, {percent(abs(said.effect))} {'above' if said.effect > 0 else 'below'} the usual level"

    def _limit(self, limit: float | None) -> str:
        said, judge = self.judged, self.side.judge
        if limit is None:
            return "none: the KPI is to stay in a band"
        if judge.level is not None:
            return f"{judge.side} {shown(limit)}"
        if not judge.noise or not said.usual:
            return f"{shown(limit)}, the least that counts"
        noise = f"{shown(judge.noise)} * {shown(said.scale)} / {shown(abs(said.usual))}"
        size = shown(judge.noise * said.scale / abs(said.usual))
        return f"{shown(limit)}: the larger of the least that counts, {shown(judge.by)}, and noise, {noise} = {size}"

    def _usual_line(self) -> Line:
        points, judge = self.said.baseline_points, self.side.judge
        checks = [
            same(f"{self.path}.usual", self.said.usual, self.judged.usual),
            *(check for place in range(len(points)) for check in self._baseline_in_place(place)),
        ]
        if not points:
            return Line("usual", f"not known: it takes {judge.count} earlier values", tuple(checks))
        listed = ", ".join(f"{self.case.moment(point.start)}: {number(point.value)}" for point in points)
        held = "; held from the beginning of a conflict to its end" if judge.hold else ""
        return Line("usual", f"the median of {listed} is {shown(self.judged.usual)}{held}", tuple(checks))

    def _baseline_in_place(self, place: int) -> Iterator[Check]:
        """A merged window begins with the first that is not empty, so that it may begin later than its cells."""
        point, stride = self.said.baseline_points[place], self.side.stride
        cell = self.case.cell(self.view, point.start)
        start = self.case.bounds(self.view, cell).start
        path = f"{self.path}.baseline_points[{place}].start"
        yield same(path, point.start, start)
        if not self.side.judge.hold:
            newest = self.at - (place + 1) * stride
            within = newest - self.conflict.over < cell <= newest
            yield holds(path, point.start, true=within, why=f"{place + 1} times {stride} windows before")


def _verdict(evidence: ConflictEvidence, judged: list[Judged]) -> Line:
    own, *others = judged
    on = own.verdict == "improved" and any(other.verdict == "worsened" for other in others)
    sides = tuple(None if said.verdict == "unknown" and said.value is None else said for said in judged)
    verdict = SAID[state_of(sides, on=on, waiting=False)]
    together = f"{own.verdict} against {', '.join(other.verdict for other in others)}"
    return Line("together", f"{together}: {verdict}", (same(f"{EVIDENCE}.verdict", evidence.verdict, verdict),))


def _lasted(case: Case, conflict: Conflict, evidence: ConflictEvidence, judged: list[Judged]) -> Iterator[Line]:
    """The run that the window belongs to."""
    episode, moved_by = case.data.episode, case.data.moved_by
    if episode is None or not isinstance(moved_by, TurnName):
        return
    worse = {
        side.kpi: said.effect or 0.0
        for side, said in zip(conflict.sides[1:], judged[1:], strict=True)
        if said.verdict == "worsened" and evidence.verdict == "conflict"
    }
    checks = [
        *sound_run(episode, evidence.window, worse, moved_by.turn),
        *lasting(case, episode, evidence.window, moved_by.turn),
        _joined(moved_by, worse),
    ]
    if moved_by.turn == "began" and episode.points == 1:
        bounds = case.bounds(case.join_view(), evidence.window.index)
        expected = Episode(1, bounds.start, bounds.end, max(worse.values(), key=abs))
        checks += alike("data.episode", episode, expected)
    windows = f"{episode.points} window{'' if episode.points == 1 else 's'}"
    yield Line(
        "lasted", f"{windows}, {episode.first} to {episode.last}; at worst {shown(episode.worst)}", tuple(checks)
    )


def _joined(moved_by: TurnName, worse: dict[str, float]) -> Check:
    there = set(worse) <= set(moved_by.taking_part)
    why = f"at least {', '.join(sorted(worse)) or 'none'}"
    return holds("data.moved_by.taking_part", moved_by.taking_part, true=there, why=why)
