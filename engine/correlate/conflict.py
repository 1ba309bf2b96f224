"""Counterpart conflicts: one KPI improves while a counterpart worsens, over one aligned window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate import judge as arithmetic
from engine.correlate.aligned import Aligned
from engine.correlate.evidence import conflict_evidence
from engine.correlate.sides import AlignedSide
from engine.correlate.track import Run, Track
from engine.rules.resolved.condition import CounterpartConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.correlate.aligned import Sides
    from engine.correlate.judge import Judged, Usual
    from engine.model.limits import Limits
    from engine.model.trigger import ConflictEvidence
    from engine.rules.resolved.condition import Judge
    from engine.rules.resolved.rule import Rule
    from engine.rules.ruleset import RuleSet


class Side(AlignedSide):
    """One side of a conflict as it is judged: which KPI, by what, and how far back its usual level reaches."""

    def __init__(
        self, number: int, rule: Rule, rules: RuleSet, kpi: str, per: str | None, lag: int, judge: Judge
    ) -> None:
        condition = rule.condition
        assert isinstance(condition, CounterpartConflict)  # noqa: S101 (an invariant: only such rules have sides)
        self.per = per
        self.judge = judge
        self.over = condition.over
        self.direction = rules.kpi_by_id[kpi].direction
        self.stride = arithmetic.stride(judge.reference, condition.over, rule.window.step)
        reach = self.stride * judge.count if judge.level is None else 0
        super().__init__(number, [name for name in (kpi, per) if name is not None], rules, lag=lag, reach=reach)


class Conflict(Aligned):
    """A conflict rule, ready to judge."""

    silent = "a side of the conflict cannot be judged"

    def __init__(self, rule: Rule, rules: RuleSet) -> None:
        condition = rule.condition
        assert isinstance(condition, CounterpartConflict)  # noqa: S101 (an invariant: the caller looks)
        own = Side(0, rule, rules, str(rule.kpi), None, 0, condition.improves)
        others = [
            Side(number, rule, rules, side.kpi, side.per, side.lag, side.judge)
            for number, side in enumerate(condition.counterparts, 1)
        ]
        self.own = own
        self.sides = (own, *others)
        super().__init__(rule, rules, self.sides, condition.over, max(side.stride for side in self.sides))

    def evidence(self, track: Track, index: int, limits: Limits) -> ConflictEvidence:
        """See `Aligned`."""
        return conflict_evidence(self, track, index, limits)

    def verdicts(self, track: Track, index: int, run: Run | None) -> Sides:
        """See `Aligned`."""
        return tuple(self._side(track, side, index, run) for side in self.sides)

    def claims(self, sides: Sides) -> list[tuple[bool, bool]]:
        """What each side did, for each counterpart as a pair with the rule's own KPI."""
        improved = sides[0] is not None and sides[0].verdict == "improved"
        return [(improved, _hurts(side)) for side in sides[1:]]

    def state_of(self, sides: Sides, *, on: bool, waiting: bool) -> str:
        """See `Aligned`."""
        return state_of(sides, on=on, waiting=waiting)

    def combined(self, values: Sequence[float | None]) -> float | None:
        """That of the KPI itself, divided by that of its `per`."""
        return values[0] if len(values) == 1 else arithmetic.ratio(values[0], values[-1])

    def _side(self, track: Track, side: Side, index: int, run: Run | None) -> Judged | None:
        if not self.has_come(track, side, index):
            return None
        usual = self.usual_in_force(track, side, index, run)
        wanted: arithmetic.Verdict = "improved" if side is self.own else "worsened"
        value = self.merged.value(track, side, index + side.lag)
        return arithmetic.judge_side(value, usual, side.judge, side.direction, wanted)

    def usual_in_force(self, track: Track, side: Side, index: int, run: Run | None) -> Usual | None:
        """What a side is held against in a window: its usual level, or the one held since the run began."""
        if side.judge.level is not None:
            return None
        return self._level_held(track, side, run) or self.usual(track, side, index + side.lag)

    def baseline(self, track: Track, side: Side, index: int, run: Run | None) -> list[int]:
        """The windows, by a side's own numbers, that the usual level in force in a window was taken from."""
        if run is not None and self._level_held(track, side, run) is not None:
            index = run.begin
        return [index + side.lag - back * side.stride for back in range(1, side.judge.count + 1)]

    def _level_held(self, track: Track, side: Side, run: Run | None) -> Usual | None:
        """The level at which the run began, where the rule holds on to it."""
        if run is None or not side.judge.hold:
            return None
        return run.usual.get(side.kpi) or self.usual(track, side, run.begin + side.lag)

    def usual(self, track: Track, side: Side, at: int) -> Usual | None:
        """The usual level of a side for its window index `at`, from the windows before it."""
        count = side.judge.count
        points = []
        for back in range(1, count + 1):
            point = self.merged.point(track, side, at - back * side.stride)
            if point is None:
                return None
            points.append(point)
        return arithmetic.usual_of(points, count)

    def run_after(self, track: Track, index: int, run: Run | None, sides: Sides) -> Run:
        """See `Aligned`."""
        bounds = track.rings[self.own.first].windows[index].bounds
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


def _hurts(judged: Judged | None) -> bool:
    return judged is not None and judged.verdict == "worsened"


def state_of(sides: Sides, *, on: bool, waiting: bool) -> str:
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
