"""Evidence of what is off track, recomputed: the value, the forecast from the windows listed, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.off_track import Course, course_of, judge, verdict_of
from engine.correlate.reconcile import added
from engine.model.finding import Episode
from engine.model.trigger import TurnName
from engine.offline.explain.account import Line, Step, alike, holds, same, shown
from engine.offline.explain.aligned import EVIDENCE, SideLines, lasting, sound_run, window_line
from engine.offline.explain.bottleneck import bottleneck_lines
from engine.offline.explain.often import recent_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.correlate.judge import Judged
    from engine.model.trigger import OffTrackEvidence, ReconciledSide
    from engine.offline.explain.account import Check
    from engine.offline.explain.case import Case


def off_track_steps(case: Case, evidence: OffTrackEvidence) -> Iterator[Step]:
    """The window, the value in it, the forecast and the verdict."""
    rule, index = Course(case.rule, case.rules), evidence.window.index
    yield Step("What was looked at", (window_line(case, rule.over, evidence.window, [(evidence.measured.windows, 0)]),))
    lines = SideLines(case, rule.over, rule.side, evidence.measured, f"{EVIDENCE}.measured", index)
    yield Step("What it came to", tuple(_measured(lines, evidence)))
    points = [(case.cell(case.join_view(), each.start), each.value) for each in evidence.points]
    if len(points) < evidence.points_count:
        yield Step("The forecast", (_points(evidence, points, "; not all are listed, so it is not recomputed"),))
        return
    judged = judge(points, index, rule.due, rule.condition)
    yield Step("The forecast", (_points(evidence, points, ""), *_forecast(rule, evidence, points, judged)))
    yield Step("The verdict", tuple(_verdict(case, rule, evidence, judged)))


def _measured(lines: SideLines[ReconciledSide], evidence: OffTrackEvidence) -> Iterator[Line]:
    said = evidence.measured
    yield lines.windows_line()
    yield lines.shares_line()
    value = added(lines.values()) if lines.whole and not _waited(said) else said.value
    checks = [same(f"{lines.path}.value", said.value, value)]
    if lines.whole:
        checks.append(same(f"{lines.path}.count", said.count, sum(share.parts.count for share in said.shares)))
    checks += alike(f"{lines.path}.kpis", said.kpis, lines.merged.kpis)
    text = "not known" if value is None else shown(value)
    yield Line("value", f"{text}, of {said.count} measurements", tuple(checks))
    points = [point.value for point in evidence.points] if len(evidence.points) == evidence.points_count else ()
    yield from bottleneck_lines(said, lines.path, lines.merged, points)
    if said.missing:
        yield Line("missing", f"nothing for this window came of {', '.join(said.missing)}")


def _waited(said: ReconciledSide) -> bool:
    """Members were still expected: nothing is said of the value."""
    return said.value is None and bool(said.missing)


def _points(evidence: OffTrackEvidence, points: list[tuple[int, float]], more: str) -> Line:
    path, index = f"{EVIDENCE}.points", evidence.window.index
    numbers = [at for at, _ in points]
    checks = [
        holds(path, numbers, true=numbers == sorted(set(numbers)), why="each window once, in order"),
        holds(
            f"{path}_count",
            evidence.points_count,
            true=evidence.points_count >= len(points),
            why="not fewer than are listed",
        ),
    ]
    if points and evidence.measured.value is not None:
        checks.append(same(f"{path}[{len(points) - 1}].value", points[-1][1], evidence.measured.value))
        checks.append(holds(path, numbers[-1], true=numbers[-1] == index, why="this window last"))
    return Line("windows", f"{evidence.points_count} with a value{more}", tuple(checks))


def _forecast(
    rule: Course, evidence: OffTrackEvidence, points: list[tuple[int, float]], judged: Judged
) -> Iterator[Line]:
    condition, path = rule.condition, EVIDENCE
    ahead = rule.due - evidence.window.index
    yield Line("due", f"{condition.by}, {ahead} windows on", _due(rule, evidence, ahead))
    course = None if judged.usual is None else course_of(points, rule.due, condition)
    needed = None if course is None else (condition.target - course.level) / ahead
    drift, value = (None, None) if course is None else (course.drift, course.value)
    level, low, high = (None, None, None) if course is None else (course.level, course.low, course.high)
    now = (same(f"{path}.level", evidence.level, level), same(f"{path}.drift", evidence.drift, drift))
    yield Line("course", f"at {shown(level)}, going by {shown(drift)} a window", now)
    text = f"{shown(needed)} a window to reach {shown(condition.target)}"
    yield Line("needed", text, (same(f"{path}.needed", evidence.needed, needed),))
    ends = (
        same(f"{path}.forecast", evidence.forecast, value),
        same(f"{path}.low", evidence.low, low),
        same(f"{path}.high", evidence.high, high),
    )
    sure = f"with {condition.confidence:.6g} confidence"
    yield Line("forecast", f"{shown(value)}, between {shown(low)} and {shown(high)} {sure}", ends)


def _due(rule: Course, evidence: OffTrackEvidence, ahead: int) -> tuple[Check, ...]:
    condition, path = rule.condition, EVIDENCE
    return (
        same(f"{path}.by", evidence.by, condition.by),
        same(f"{path}.ahead", evidence.ahead, ahead),
        same(f"{path}.target", evidence.target, condition.target),
        same(f"{path}.confidence", evidence.confidence, condition.confidence),
    )


def _verdict(case: Case, rule: Course, evidence: OffTrackEvidence, judged: Judged) -> Iterator[Line]:
    verdict = verdict_of(judged, rule.due - evidence.window.index)
    said = verdict_of(None, rule.due - evidence.window.index) if _waited(evidence.measured) else verdict
    yield Line("together", said, (same(f"{EVIDENCE}.verdict", evidence.verdict, said),))
    known = {"misses": True, "on_course": False}.get(said)
    yield from recent_lines(case, evidence, on=known)
    episode, moved_by = case.data.episode, case.data.moved_by
    if episode is None or not isinstance(moved_by, TurnName):
        return
    on = verdict == "misses"
    checks: list[Check] = [
        *sound_run(episode, evidence.window, {rule.side.kpi: judged.effect or 0.0} if on else {}, moved_by.turn),
        *lasting(case, episode, evidence.window, moved_by.turn),
    ]
    checks += alike("data.moved_by.taking_part", moved_by.taking_part, ())
    if moved_by.turn == "began" and episode.points == 1:
        bounds = case.bounds(case.join_view(), evidence.window.index)
        checks += alike("data.episode", episode, Episode(1, bounds.start, bounds.end, judged.effect or 0.0))
    windows = f"{episode.points} window{'' if episode.points == 1 else 's'}"
    worst = f"furthest from the target {shown(episode.worst)}"
    yield Line("lasted", f"{windows}, {episode.first} to {episode.last}; {worst}", tuple(checks))
