"""Rules that hold KPIs against each other over aligned windows: what is common to them, whatever they make of it.

Each barrier judges what its records touch, in window order, because a rule may hold on to the level at which an alert
began. What a later record changes is judged again, from the first window that it touches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from msgspec import UNSET

from engine.correlate.lasting import after_hit, after_miss
from engine.correlate.merged import Merged
from engine.correlate.often import counted_after, is_often, is_warming_up, warmed
from engine.correlate.rings import Ring
from engine.correlate.track import Run, Step, Track, passed_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgspec import UnsetType

    from engine.correlate.join import Facts
    from engine.correlate.judge import Judged
    from engine.correlate.sides import AlignedSide
    from engine.correlate.track import Counted
    from engine.model.limits import Limits
    from engine.model.records import JoinRecord
    from engine.model.time import Micros
    from engine.model.trigger import ConflictEvidence, OffTrackEvidence, ReconciliationEvidence, WindowVerdict
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet

Sides = tuple["Judged | None", ...]


class Aligned(ABC):
    """Such a rule, ready to judge. All state is in the tracks.

    `over`: windows merged into one value. `members`: so many windows back a series counts as one that is expected.
    `silent`: what is told when an alert cannot be judged any more.
    """

    silent = "a side cannot be judged"

    def __init__(self, rule: Rule, rules: RuleSet, sides: Sequence[AlignedSide], over: int, members: int) -> None:
        self.rule = rule
        self.hash = rules.hash
        self.aligned = tuple(sides)
        self.over = over
        self.members = members
        self.reach = max(side.reach for side in sides) + over + members
        lag = max(side.lag for side in sides)
        self.slack = lag + 2 + -(-(rule.lateness + rule.grace + rule.idle) // rule.window.step)
        self.merged = Merged(self.combined, over, len(self.aligned) * (self.reach + self.slack))
        self.roles: dict[str, list[AlignedSide]] = {}
        for side in sides:
            for kpi in side.rolled:
                self.roles.setdefault(kpi, []).append(side)

    @abstractmethod
    def verdicts(self, track: Track, index: int, run: Run | None) -> Sides:
        """The verdict on each side; None while one has not come, or its members are still expected."""

    @abstractmethod
    def claims(self, sides: Sides) -> list[tuple[bool, bool]]:
        """The pairs that make an alert when both hold of one of them."""

    @abstractmethod
    def state_of(self, sides: Sides, *, on: bool, waiting: bool) -> str:
        """`on`, `off`, `pending` or `inconclusive`."""

    @abstractmethod
    def run_after(self, track: Track, index: int, run: Run | None, sides: Sides) -> Run:
        """The run with a window in it that is on; when it fires is seen to elsewhere (`lasting`, `often`)."""

    @abstractmethod
    def combined(self, values: Sequence[float | None]) -> float | None:
        """The value of a side from those of its KPIs."""

    @abstractmethod
    def evidence(
        self, track: Track, index: int, limits: Limits
    ) -> ConflictEvidence | ReconciliationEvidence | OffTrackEvidence:
        """What the verdict on an aligned window rests on; the step for it must be there."""

    def advance(self, track: Track, records: Iterable[JoinRecord], barrier_time: Micros, facts: Facts) -> list[int]:
        """Take a barrier's records of this rule and scope; returns the aligned windows judged anew, ascending. Once
        reviews were told of them, `settle`: a barrier may bring alerts that are long over.
        """
        touched = self._take(track, records, barrier_time)
        for kpi, ring in track.rings.items():
            for index in ring.settle(barrier_time, self.rule.idle, self.members):
                touched |= self._touched_by(track, kpi, index)
        touched |= {index for index, step in track.steps.items() if step.due is not None and step.due <= barrier_time}
        return self._judge_all(track, touched, barrier_time, facts)

    def _take(self, track: Track, records: Iterable[JoinRecord], barrier_time: Micros) -> set[int]:
        touched: set[int] = set()
        for record in records:
            ring = track.rings.get(record.kpi)
            if ring is None:
                ring = track.rings[record.kpi] = Ring(record.kpi, record.window.index)
            if self.is_final(track, record):
                continue
            origin = ring.origin
            if ring.put(record, barrier_time):
                is_longer = ring.origin != origin
                self.merged.forget(track.scope, self.roles.get(record.kpi, ()), record.window.index, entirely=is_longer)
                touched |= self._touched_by(track, record.kpi, record.window.index)
        return touched

    def is_final(self, track: Track, record: JoinRecord) -> bool:
        """Whether a share comes so late that nothing looks at its window any more."""
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
        """Judge the touched windows in order, and those after one that leaves another run, or count, than it did."""
        judged: list[int] = []
        if track.floor is not None:
            touched = {index for index in touched if index >= track.floor}
        if not touched:
            return judged
        start = min(touched)
        run, counted = track.before(start)
        for index in sorted(touched | {each for each in track.steps if each >= start}):
            known = track.steps.get(index)
            if index in touched or known is None or known.before != run or known.counted_before != counted:
                step = self._judge_window(track, index, run, counted, barrier_time, facts)
                if step is None:
                    continue
                track.steps[index] = known = step
                judged.append(index)
            run, counted = known.after, known.counted
        return judged

    def _judge_window(
        self, track: Track, index: int, run: Run | None, counted: Counted, barrier_time: Micros, facts: Facts
    ) -> Step | None:
        """None when no side has this window (it is only in between, or another's usual level)."""
        if not any(self._window_of(track, side, index) for side in self.aligned):
            return None
        sides = self.verdicts(track, index, run)
        pairs = self._note(track, index, sides, facts)
        on = any(facts.matched(self._place(track, index, number)) for number in range(1, pairs + 1))
        due = self._due(track, index, sides)
        state = self.state_of(sides, on=on, waiting=due is not None and barrier_time < due)
        after, now = self._after(track, index, run, counted, sides, state)
        return Step(run, sides, state, after, due if state == "pending" else None, counted, now)

    def _after(
        self, track: Track, index: int, run: Run | None, counted: Counted, sides: Sides, state: str
    ) -> tuple[Run | None, Counted]:
        """The run that a window leaves, and what is counted then; one that could not be judged leaves both as they
        were.
        """
        if self.warms_up(track, index, counted):
            return run, warmed(counted)
        if state not in ("on", "off"):
            return run, counted
        rule, on = self.rule, state == "on"
        bounds = track.rings[self.aligned[0].first].windows[index].bounds
        now = counted_after(counted, rule, bounds.end, holds=on)
        if not (on if rule.at_least is None else is_often(now, rule)):
            return after_miss(run, bounds.end, rule.keep_firing_for), now
        # Only a window that holds makes it often enough: there is a run by then.
        grown = self.run_after(track, index, run, sides) if on or run is None else passed_over(run, bounds)
        return after_hit(run, grown, index, bounds.end, rule.for_), now

    def warms_up(self, track: Track, index: int, counted: Counted) -> bool:
        """Whether the window is one of the first of the scope, of which nothing is said."""
        return is_warming_up(counted, self.rule) and self._window_of(track, self.aligned[0], index)

    def recent(self, track: Track, index: int) -> tuple[WindowVerdict, ...] | UnsetType:
        """The last windows that could be judged as of this one, for the evidence of a rule with `at_least`."""
        return UNSET if self.rule.at_least is None else track.steps[index].counted.recent

    def _window_of(self, track: Track, side: AlignedSide, index: int) -> bool:
        ring = track.rings.get(side.first)
        return ring is not None and index + side.lag in ring.windows

    def has_come(self, track: Track, side: AlignedSide, index: int) -> bool:
        """Whether every KPI of a side has its window, and the members of each have sent theirs or been waited for."""
        rings = [track.rings.get(kpi) for kpi in side.rolled]
        windows = [None if ring is None else ring.windows.get(index + side.lag) for ring in rings]
        return all(window is not None and window.ready for window in windows)

    def _place(self, track: Track, index: int, pair: int) -> str:
        return f"{track.rule}|{track.scope}|{index}|{pair}"

    def _note(self, track: Track, index: int, sides: Sides, facts: Facts) -> int:
        """Say the claims to the join; returns how many pairs of them there are."""
        claims = self.claims(sides)
        for number, (one, other) in enumerate(claims, 1):
            place = self._place(track, index, number)
            _stand(facts, place, 0, stands=one)
            _stand(facts, place, 1, stands=other)
        return len(claims)

    def assert_again(self, track: Track, facts: Facts) -> None:
        """Rebuild the facts of a restored track."""
        for index, step in track.steps.items():
            self._note(track, index, step.sides, facts)

    def withdraw_facts(self, track: Track, indices: Iterable[int], facts: Facts) -> None:
        """Retract what stands for these windows."""
        for index in indices:
            self._note(track, index, (None,) * len(self.aligned), facts)

    def _due(self, track: Track, index: int, sides: Sides) -> Micros | None:
        """Until when a side that has not come is waited for; None when all have.

        Counted from the barrier of the first side that came: lag + lateness + idle. A side that has come in part is
        judged without the rest when `idle` has passed since its own first share.
        """
        firsts, parts, lags = [], [], []
        for side, judged in zip(self.aligned, sides, strict=True):
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

    def settle(self, track: Track, facts: Facts) -> None:
        """Let go of what is final, once reviews were told of it; when the track is to be looked at again."""
        self._forget(track, facts)
        track.wake = self._wake(track)

    def final(self, track: Track) -> list[int]:
        """The judged windows that no record can change any more, in order."""
        floor = self._floor(track) if track.steps else 0
        return sorted(index for index in track.steps if index < floor)

    def _floor(self, track: Track) -> int:
        """The first window that can still change: of a backlog the first that waits for a side, however old."""
        waiting = (index for index, step in track.steps.items() if step.state == "pending")
        return min([max(track.steps) - self.slack, *waiting])

    def _forget(self, track: Track, facts: Facts) -> None:
        """Facts of what is final are retracted, windows and what was said dropped."""
        if not track.steps:
            return
        floor = self._floor(track)
        if track.floor is not None and floor <= track.floor:
            return
        final = self.final(track)
        self.withdraw_facts(track, final, facts)
        for index in final:
            step = track.steps.pop(index)
            track.carried, track.counted = step.after, step.counted
        track.floor = floor
        for ring in track.rings.values():
            ring.forget(floor - self.reach)
        track.said = [said for said in track.said if said.end is None or said.end >= floor]

    def _wake(self, track: Track) -> Micros | None:
        times = [ring.wake(self.rule.idle) for ring in track.rings.values()]
        times += [step.due for step in track.steps.values()]
        return min((time for time in times if time is not None), default=None)


def _stand(facts: Facts, place: str, slot: int, *, stands: bool) -> None:
    if stands:
        facts.put(place, slot)
    else:
        facts.take(place, slot)
