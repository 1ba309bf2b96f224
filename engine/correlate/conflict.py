"""Counterpart conflicts: one KPI improves while a counterpart worsens, over one aligned window.

Each barrier judges what its records touch, in window order, because a rule may hold on to the level at which a conflict
began. What a later record changes is judged again, from the first window that it touches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate import judge as arithmetic
from engine.correlate.rings import Ring
from engine.correlate.track import Run, Step, Track
from engine.model.finding import BaselinePoint
from engine.rules.resolved.condition import CounterpartConflict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.correlate.join import Facts
    from engine.correlate.judge import Judged, Usual
    from engine.model.records import JoinRecord
    from engine.model.time import Micros
    from engine.rules.resolved.condition import Judge
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


_POINTS_PER_WINDOW = 4
"""Merged values kept per window and side before all are made afresh: more than one round of a ring needs."""


class Side:
    """One side of a rule as it is judged: which KPI, by what, and how far back its usual level reaches."""

    def __init__(
        self, number: int, rule: Rule, rules: RuleSet, kpi: str, per: str | None, lag: int, judge: Judge
    ) -> None:
        condition = rule.condition
        assert isinstance(condition, CounterpartConflict)  # noqa: S101 (an invariant: only such rules have sides)
        self.number = number
        self.kpi = kpi
        self.per = per
        self.lag = lag
        self.judge = judge
        self.over = condition.over
        self.direction = rules.kpi_by_id[kpi].direction
        self.rolled = {name: rules.kpi_by_id[name].aggregation for name in (kpi, per) if name is not None}
        self.stride = arithmetic.stride(judge.reference, condition.over, rule.window.step)
        self.reach = self.stride * judge.count if judge.level is None else 0


class Conflict:
    """A conflict rule, ready to judge. All state is in the tracks; here are only merged values, to be made once."""

    def __init__(self, rule: Rule, rules: RuleSet) -> None:
        condition = rule.condition
        assert isinstance(condition, CounterpartConflict)  # noqa: S101 (an invariant: the caller looks)
        self.rule = rule
        self.hash = rules.hash
        own = Side(0, rule, rules, str(rule.kpi), None, 0, condition.improves)
        others = [
            Side(number, rule, rules, side.kpi, side.per, side.lag, side.judge)
            for number, side in enumerate(condition.counterparts, 1)
        ]
        self.own = own
        self.sides = (own, *others)
        self.over = condition.over
        self.members = max(side.stride for side in self.sides)
        self.reach = max(side.reach for side in self.sides) + self.over + self.members
        step = rule.window.step
        lag = max(side.lag for side in self.sides)
        self.slack = lag + 2 + -(-(rule.lateness + rule.idle) // step)
        self._points: dict[str, dict[tuple[int, int], BaselinePoint | None]] = {}
        self.roles: dict[str, list[Side]] = {}
        for side in self.sides:
            for kpi in side.rolled:
                self.roles.setdefault(kpi, []).append(side)

    def advance(self, track: Track, records: Iterable[JoinRecord], barrier_time: Micros, facts: Facts) -> list[int]:
        """Take a barrier's records of this rule and scope; returns the aligned windows judged anew, ascending."""
        touched = self._take(track, records, barrier_time)
        for kpi, ring in track.rings.items():
            for index in ring.settle(barrier_time, self.rule.idle, self.members):
                touched |= self._touched_by(track, kpi, index)
        touched |= {index for index, step in track.steps.items() if step.due is not None and step.due <= barrier_time}
        judged = self._judge_all(track, touched, barrier_time, facts)
        self._forget(track, facts)
        track.wake = self._wake(track)
        return judged

    def _take(self, track: Track, records: Iterable[JoinRecord], barrier_time: Micros) -> set[int]:
        touched: set[int] = set()
        for record in records:
            ring = track.rings.get(record.kpi)
            if ring is None:
                ring = track.rings[record.kpi] = Ring(record.kpi, record.window.index)
            if self._is_final(track, record):
                continue
            origin = ring.origin
            if ring.put(record, barrier_time):
                self._unmerge(track, record.kpi, record.window.index, all_of_them=ring.origin != origin)
                touched |= self._touched_by(track, record.kpi, record.window.index)
        return touched

    def _unmerge(self, track: Track, kpi: str, index: int, *, all_of_them: bool) -> None:
        """Forget the merged values that a new share changes."""
        points = self._points.get(track.scope, {})
        if all_of_them:
            points.clear()
        for side in self.roles.get(kpi, ()):
            for each in range(index, index + self.over):
                points.pop((side.number, each), None)

    def _is_final(self, track: Track, record: JoinRecord) -> bool:
        return track.floor is not None and record.window.index < track.floor - self.reach

    def _touched_by(self, track: Track, kpi: str, index: int) -> set[int]:
        """The aligned windows whose verdict reads window `index` of `kpi`: in the value, or in the usual level."""
        windows = track.rings[kpi].windows
        touched: set[int] = set()
        for side in self.roles.get(kpi, ()):
            touched.add(index - side.lag)
            newest = max(windows)
            if newest > index:
                last = min(newest, index + side.reach + self.over - 1)
                touched.update(each - side.lag for each in range(index + 1, last + 1))
        return touched

    def _judge_all(self, track: Track, touched: set[int], barrier_time: Micros, facts: Facts) -> list[int]:
        """Judge the touched windows in order, and those after one that leaves another run than it did."""
        judged: list[int] = []
        if track.floor is not None:
            touched = {index for index in touched if index >= track.floor}
        if not touched:
            return judged
        start = min(touched)
        run = track.before(start)
        for index in sorted(touched | {each for each in track.steps if each >= start}):
            known = track.steps.get(index)
            if index in touched or known is None or known.before != run:
                step = self._judge(track, index, run, barrier_time, facts)
                if step is None:
                    continue
                track.steps[index] = known = step
                judged.append(index)
            run = known.after
        return judged

    def _judge(self, track: Track, index: int, run: Run | None, barrier_time: Micros, facts: Facts) -> Step | None:
        """None when no side has this window (it is only in between, or another's usual level)."""
        if not any(self._window_of(track, side, index) for side in self.sides):
            return None
        sides = tuple(self._side(track, side, index, run) for side in self.sides)
        self._note(track, index, sides, facts)
        worse = [
            side for place, side in enumerate(self.sides[1:], 1) if facts.matched(2, self._place(track, index, place))
        ]
        due = self._due(track, index, sides)
        state = state_of(sides, on=bool(worse), waiting=due is not None and barrier_time < due)
        after = self._run_after(track, index, run, state, sides)
        return Step(run, sides, state, after, due if state == "pending" else None)

    def _window_of(self, track: Track, side: Side, index: int) -> bool:
        ring = track.rings.get(side.kpi)
        return ring is not None and index + side.lag in ring.windows

    def _side(self, track: Track, side: Side, index: int, run: Run | None) -> Judged | None:
        """The verdict on one side; None while it has not come, or its members are still expected."""
        at = index + side.lag
        for kpi in side.rolled:
            ring = track.rings.get(kpi)
            window = None if ring is None else ring.windows.get(at)
            if window is None or not window.ready:
                return None
        usual = self.usual_in_force(track, side, index, run)
        wanted: arithmetic.Verdict = "improved" if side is self.own else "worsened"
        return arithmetic.judge_side(self.value(track, side, at), usual, side.judge, side.direction, wanted)

    def usual_in_force(self, track: Track, side: Side, index: int, run: Run | None) -> Usual | None:
        """What a side is held against in a window: its usual level, or the one held since the run began."""
        if side.judge.level is not None:
            return None
        if run is not None and side.judge.hold:
            held = run.usual.get(side.kpi) or self.usual(track, side, run.begin + side.lag)
            if held is not None:
                return held
        return self.usual(track, side, index + side.lag)

    def value(self, track: Track, side: Side, at: int) -> float | None:
        """The merged value of a side at its own window index, divided by the merged value of its `per`."""
        point = self._point(track, side, at)
        return None if point is None else point.value

    def _point(self, track: Track, side: Side, at: int) -> BaselinePoint | None:
        points = self._points.setdefault(track.scope, {})
        if (side.number, at) not in points:
            if len(points) > _POINTS_PER_WINDOW * len(self.sides) * (self.reach + self.slack):
                points.clear()
            value = self._merged(track, side, at)
            points[side.number, at] = None if value is None else BaselinePoint(self._start(track, side, at), value)
        return points[side.number, at]

    def _merged(self, track: Track, side: Side, at: int) -> float | None:
        values = [self._rolled_up(track, kpi, at, side) for kpi in side.rolled]
        return values[0] if side.per is None else arithmetic.ratio(values[0], values[-1])

    def _rolled_up(self, track: Track, kpi: str, at: int, side: Side) -> float | None:
        ring = track.rings.get(kpi)
        windows = [] if ring is None else ring.spans(at, self.over)
        parts = [share.parts for window in windows for share in window.shares.values()]
        return arithmetic.aggregate(parts, side.rolled[kpi]) if parts else None

    def usual(self, track: Track, side: Side, at: int) -> Usual | None:
        """The usual level of a side for its window index `at`, from the windows before it."""
        count = side.judge.count
        points = []
        for back in range(1, count + 1):
            point = self._point(track, side, at - back * side.stride)
            if point is None:
                return None
            points.append(point)
        return arithmetic.usual_of(points, count)

    def _start(self, track: Track, side: Side, at: int) -> str:
        return track.rings[side.kpi].spans(at, self.over)[0].bounds.start

    def _place(self, track: Track, index: int, counterpart: int) -> str:
        return f"{track.rule}|{track.scope}|{index}|{counterpart}"

    def _note(self, track: Track, index: int, sides: tuple[Judged | None, ...], facts: Facts) -> None:
        """Say to the join what each side did, for each counterpart as a pair with the rule's own KPI."""
        improved = sides[0] is not None and sides[0].verdict == "improved"
        for number, side in enumerate(sides[1:], 1):
            place = self._place(track, index, number)
            _stand(facts, place, 0, stands=improved)
            _stand(facts, place, 1, stands=side is not None and side.verdict == "worsened")

    def assert_again(self, track: Track, facts: Facts) -> None:
        """Rebuild the facts of a restored track."""
        for index, step in track.steps.items():
            self._note(track, index, step.sides, facts)

    def withdraw_facts(self, track: Track, indices: Iterable[int], facts: Facts) -> None:
        """Retract what stands for these windows."""
        for index in indices:
            self._note(track, index, (None,) * len(self.sides), facts)

    def _due(self, track: Track, index: int, sides: tuple[Judged | None, ...]) -> Micros | None:
        """Until when a side that has not come is waited for; None when all have.

        Counted from the barrier of the first side that came: lag + lateness + idle. A side that has come in part is
        judged without the rest when `idle` has passed since its own first share.
        """
        firsts, parts, lags = [], [], []
        for side, judged in zip(self.sides, sides, strict=True):
            windows = [self._ring_window_first(track, kpi, index + side.lag) for kpi in side.rolled]
            came = [first for first in windows if first is not None]
            firsts += came
            if judged is None:
                lags.append(side.lag)
                parts += came
        if not lags or not firsts:
            return None
        rule = self.rule
        silent = min(firsts) + max(lags) * rule.window.step + rule.lateness + rule.idle
        return max([silent, *(first + rule.idle for first in parts)])

    def _ring_window_first(self, track: Track, kpi: str, at: int) -> Micros | None:
        ring = track.rings.get(kpi)
        window = None if ring is None else ring.windows.get(at)
        return None if window is None else window.first

    def _run_after(
        self, track: Track, index: int, run: Run | None, state: str, sides: tuple[Judged | None, ...]
    ) -> Run | None:
        if state == "off":
            return None
        if state != "on":
            return run
        bounds = track.rings[self.own.kpi].windows[index].bounds
        hurt = [(side, judged) for side, judged in zip(self.sides[1:], sides[1:], strict=True) if _hurts(judged)]
        effects = [judged.effect or 0.0 for _, judged in hurt if judged is not None]
        begin = index if run is None else run.begin
        return Run(
            begin=begin,
            opened=bounds.end if run is None else run.opened,
            first=bounds.start if run is None else run.first,
            last=bounds.end,
            windows=1 if run is None else run.windows + 1,
            worst=max([*([run.worst] if run else []), *effects], key=abs),
            joined=tuple(sorted({*(run.joined if run else ()), *(side.kpi for side, _ in hurt)})),
            usual=self._held(track, begin, run),
        )

    def _held(self, track: Track, begin: int, run: Run | None) -> dict[str, Usual]:
        """The levels at which the run began, as far as they are known by now."""
        held = {} if run is None else run.usual
        for side in self.sides:
            if side.judge.hold and side.judge.level is None and side.kpi not in held:
                usual = self.usual(track, side, begin + side.lag)
                if usual is not None:
                    held = {**held, side.kpi: usual}
        return held

    def _forget(self, track: Track, facts: Facts) -> None:
        """Make final what no record can change any more: its facts are retracted, its windows dropped."""
        if not track.steps:
            return
        floor = max(track.steps) - self.slack
        if track.floor is not None and floor <= track.floor:
            return
        final = sorted(index for index in track.steps if index < floor)
        self.withdraw_facts(track, final, facts)
        for index in final:
            track.carried = track.steps.pop(index).after
        track.floor = floor
        for ring in track.rings.values():
            ring.forget(floor - self.reach)

    def _wake(self, track: Track) -> Micros | None:
        times = [ring.wake(self.rule.idle) for ring in track.rings.values()]
        times += [step.due for step in track.steps.values()]
        return min((time for time in times if time is not None), default=None)


def _stand(facts: Facts, place: str, slot: int, *, stands: bool) -> None:
    if stands:
        facts.put(2, place, slot)
    else:
        facts.take(2, place, slot)


def _hurts(judged: Judged | None) -> bool:
    return judged is not None and judged.verdict == "worsened"


def state_of(sides: tuple[Judged | None, ...], *, on: bool, waiting: bool) -> str:
    """`on`, `off`, `pending` or `inconclusive`.

    `off` is certain: the KPI did not improve, or every counterpart is known not to have worsened.
    """
    own, *others = sides
    if on:
        return "on"
    if own is not None and own.verdict in ("flat", "worsened"):
        return "off"
    if own is not None and own.verdict == "improved" and all(_is_known(side) for side in others):
        return "off"
    return "pending" if waiting else "inconclusive"


def _is_known(judged: Judged | None) -> bool:
    return judged is not None and judged.verdict != "unknown"
