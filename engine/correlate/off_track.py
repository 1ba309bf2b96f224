"""Off track: the forecast of a KPI for the day on which its target is due misses it with its whole interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from engine.correlate.aligned import Aligned
from engine.correlate.bottleneck import bottleneck_of
from engine.correlate.evidence import digest_of_recent
from engine.correlate.forecast import forecast
from engine.correlate.judge import Judged
from engine.correlate.shares import share_of_side, window_of
from engine.correlate.sides import AlignedSide
from engine.correlate.track import Run, Track, carried_on
from engine.model.identity import digest_of
from engine.model.time import DAY
from engine.model.trigger import OffTrackEvidence
from engine.rules.due import day_number
from engine.rules.resolved.condition import FORECAST_WINDOWS, OffTrack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from engine.correlate.aligned import Sides
    from engine.correlate.forecast import Forecast
    from engine.model.bottleneck import Bottleneck
    from engine.model.finding import BaselinePoint
    from engine.model.limits import Limits
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Window
    from engine.rules.ruleset import RuleSet

    Points: TypeAlias = Sequence[tuple[int, float]]

Verdict = Literal["misses", "on_course", "date_passed", "inconclusive"]

_FIRST_DAY = day_number("1990-01-01")
"""Windows of calendar days are numbered from it on."""


PointT = TypeVar("PointT")


def halves(points: Sequence[PointT]) -> tuple[Sequence[PointT], Sequence[PointT]]:
    """The older half of the windows of a forecast, and the newer, which has the one in the middle."""
    middle = len(points) // 2
    return points[:middle], points[middle:]


def due_index(by: str, window: Window) -> int:
    """The number of the last window that ends by the end of that day: there, or in UTC where windows have no zone."""
    if window.zone is not None:
        return day_number(by) - _FIRST_DAY
    return (day_number(by) + 1) * DAY // window.step - 1


def course_of(points: Points, due: int, condition: OffTrack) -> Forecast | None:
    """The forecast as of the last of these points; None where they are too few, and from the due window on."""
    if len(points) < condition.learn or points[-1][0] >= due:
        return None
    return forecast(points, due - points[-1][0], condition.confidence)


def judge(points: Points, index: int, due: int, condition: OffTrack) -> Judged:
    """The verdict on a window: `worsened` when all of the interval misses the target. From the due window on it is
    `flat`: no forecast misses the target any more.
    """
    value = points[-1][1] if points and points[-1][0] == index else None
    if index >= due:
        return Judged("flat", value)
    course = None if value is None else course_of(points, due, condition)
    if course is None:
        return Judged("unknown", value)
    better = condition.higher_is_better
    misses = course.high < condition.target if better else course.low > condition.target
    effect = course.value - condition.target
    return Judged("worsened" if misses else "flat", value, course.value, effect, course.high - course.value)


def verdict_of(judged: Judged | None, ahead: int) -> Verdict:
    """The same in the words of the evidence."""
    if ahead <= 0:
        return "date_passed"
    if judged is None or judged.verdict == "unknown":
        return "inconclusive"
    return "misses" if judged.verdict == "worsened" else "on_course"


class Course(Aligned):
    """An off_track rule, ready to judge: its one side is the KPI, merged over the series of a scope."""

    silent = "there are too few windows for a forecast"

    def __init__(self, rule: Rule, rules: RuleSet) -> None:
        condition = rule.condition
        assert isinstance(condition, OffTrack)  # noqa: S101 (an invariant: the caller looks)
        self.condition = condition
        self.due = due_index(condition.by, rule.window)
        self.side = AlignedSide(0, [str(rule.kpi)], rules, reach=FORECAST_WINDOWS - 1)
        super().__init__(rule, rules, (self.side,), 1, 1)

    def verdicts(self, track: Track, index: int, run: Run | None) -> Sides:
        """See `Aligned`."""
        del run
        if not self.has_come(track, self.side, index):
            return (None,)
        points = [(at, point.value) for at, point in self._points_to(track, index)]
        return (judge(points, index, self.due, self.condition),)

    def claims(self, sides: Sides) -> list[tuple[bool, bool]]:
        """There is a forecast, and it misses the target."""
        own = sides[0]
        return [(own is not None and own.usual is not None, own is not None and own.verdict == "worsened")]

    def state_of(self, sides: Sides, *, on: bool, waiting: bool) -> str:
        """See `Aligned`."""
        if on:
            return "on"
        if sides[0] is not None and sides[0].verdict == "flat":
            return "off"
        return "pending" if waiting else "inconclusive"

    def run_after(self, track: Track, index: int, run: Run | None, sides: Sides) -> Run:
        """See `Aligned`; the worst is the forecast that was furthest from the target."""
        bounds = track.rings[self.side.first].windows[index].bounds
        effect = 0.0 if sides[0] is None else sides[0].effect or 0.0
        return carried_on(run, index, bounds, effect, ())

    def combined(self, values: Sequence[float | None]) -> float | None:
        """The one that there is."""
        return values[0]

    def evidence(self, track: Track, index: int, limits: Limits) -> OffTrackEvidence:
        """See `Aligned`."""
        judged = track.steps[index].sides[0]
        condition, ahead = self.condition, self.due - index
        points = self._points_to(track, index)
        verdict = verdict_of(judged, ahead)
        course = None
        if verdict in ("misses", "on_course"):
            course = course_of([(at, point.value) for at, point in points], self.due, condition)
        measured = share_of_side(self, track, self.side, index, judged, limits)
        if course is not None:
            measured = msgspec.structs.replace(measured, bottleneck=self._bottleneck(track, points, limits))
        listed = tuple(point for _, point in points)[-limits.evidence_points_max :]
        parts = {"condition": self.rule.declared, "measured": measured, "points": listed}
        recent = self.recent(track, index)
        return OffTrackEvidence(
            condition=self.rule.declared,
            window=window_of(self, track, index),
            measured=measured,
            points=listed,
            points_count=len(points),
            level=None if course is None else course.level,
            drift=None if course is None else course.drift,
            needed=None if course is None else (condition.target - course.level) / ahead,
            forecast=None if course is None else course.value,
            low=None if course is None else course.low,
            high=None if course is None else course.high,
            confidence=condition.confidence,
            target=condition.target,
            by=condition.by,
            ahead=ahead,
            verdict=verdict,
            rule_set=self.hash,
            digests={name: digest_of(part) for name, part in parts.items()} | digest_of_recent(recent),
            recent=recent,
        )

    def _bottleneck(
        self, track: Track, points: Sequence[tuple[int, BaselinePoint]], limits: Limits
    ) -> Bottleneck | msgspec.UnsetType:
        """The newer half of the windows against the older: one window alone says little of a course."""
        older, newer = halves([at for at, _ in points])
        return bottleneck_of(self, track, self.side, newer, older, limits)

    def _points_to(self, track: Track, index: int) -> list[tuple[int, BaselinePoint]]:
        """The windows that have a value, with their numbers, as far back as a forecast looks."""
        numbers = range(index - FORECAST_WINDOWS + 1, index + 1)
        found = [(at, self.merged.point(track, self.side, at)) for at in numbers]
        return [(at, point) for at, point in found if point is not None]
