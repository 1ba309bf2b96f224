"""Evidence of one series, recomputed by the kernels: the value, what it was held against, the gate that it passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels import layout
from engine.kernels.change import change, median
from engine.kernels.layout import (
    ANOMALY,
    CHANGE,
    CONTROL,
    FIRED,
    FIRING,
    INACTIVE,
    PENDING,
    RECOVERING,
    RESOLVED,
    THRESHOLD,
    TREND,
)
from engine.kernels.lifecycle import advance, is_step
from engine.kernels.threshold import threshold
from engine.model.finding import RawPoint, Silence, WindowPoint
from engine.model.time import SECOND, format_time
from engine.offline.explain.account import Check, Line, Step, holds, same, shown
from engine.offline.explain.anomaly import anomaly_lines
from engine.offline.explain.case import micros
from engine.offline.explain.control import control_lines
from engine.offline.explain.often import asked_of_last, often_lines
from engine.offline.explain.parts import aggregated, formula, sound_parts
from engine.offline.explain.trend import trend_lines
from engine.review.numbers import number, percent
from engine.review.spans import duration, window_named
from engine.rules.resolved.catalogue import formula_in, how_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.model.finding import Episode, Evidence
    from engine.model.trigger import FindingName
    from engine.offline.explain.case import Case

    _Lines = Callable[[Case, Evidence, RawPoint | WindowPoint, FindingName], Iterator[Line]]
    _LinesOfWindow = Callable[[Case, Evidence, WindowPoint, FindingName], Iterator[Line]]

EVIDENCE = "data.evidence"


def series_steps(case: Case, evidence: Evidence, moved_by: FindingName) -> Iterator[Step]:
    """What was looked at, what it was held against, and which gate that opened or closed."""
    point = evidence.point
    if isinstance(point, Silence):
        yield Step("What was looked at", tuple(_silence(case, point)))
        return
    if not isinstance(point, RawPoint | WindowPoint):
        yield Step("What was looked at", (Line("nothing", "a rule set took the rule away; nothing was judged"),))
        return
    yield Step("What was looked at", tuple(_point(case, point)))
    judges: dict[int, _Lines] = {
        THRESHOLD: _threshold,
        CHANGE: _change,
        TREND: _of_window(trend_lines),
        ANOMALY: _of_window(anomaly_lines),
        CONTROL: _of_window(control_lines),
    }
    judge = judges[int(case.rule_row()["kind"])]
    yield Step("What it was held against", tuple(judge(case, evidence, point, moved_by)))
    yield Step("The gate", tuple(_gate(case, point.value, moved_by)))


def _silence(case: Case, point: Silence) -> Iterator[Line]:
    yield Line("measurements", f"none since {point.last_seen}, of which a tick told first at {point.waited_since}")
    waited, after = micros(point.tick_time) - micros(point.waited_since), case.rule.ends_after or 0
    told = f"{duration(waited)} by the tick {point.tick_time}; `no_data: ok` waits for {duration(after)}"
    ends = holds(
        f"{EVIDENCE}.point.tick_time",
        point.tick_time,
        true=0 < after <= waited,
        why=f"an alert ends after {duration(after)} of silence",
    )
    yield Line("silence", told, (ends,))


def _point(case: Case, point: RawPoint | WindowPoint) -> Iterator[Line]:
    path = f"{EVIDENCE}.point"
    if isinstance(point, RawPoint):
        yield Line("measurement", point.id)
        yield Line("event time", point.time, (same("data.event_time", case.data.event_time, point.time),))
        yield Line("value", shown(point.value))
        return
    row = case.rule_row()
    bounds = case.bounds(case.view_of(row), point.window.index)
    named = window_named(bounds.start, bounds.end, case.rule.window, case.rules)
    window = (
        same(f"{path}.window.start", point.window.start, bounds.start),
        same(f"{path}.window.end", point.window.end, bounds.end),
        same("data.event_time", case.data.event_time, bounds.end),
    )
    exact = "" if case.rule.window.zone is None else f" ({bounds.start} to {bounds.end})"
    yield Line("window", f"{named}{exact}, number {bounds.index}", window)
    yield from _contents(case, point, path)


def _contents(case: Case, point: WindowPoint, path: str) -> Iterator[Line]:
    parts, ids, kpi = point.parts, point.ids, case.rules.kpi_by_id[str(case.rule.kpi)]
    counted = (
        same(f"{path}.ids.count", ids.count, parts.count),
        *sound_parts(parts, f"{path}.parts", point.window.start, point.window.end),
    )
    names = ids.first if parts.count == 1 else f"from {ids.first} to {ids.last}"
    yield Line("measurements", f"{parts.count}: {names}; sum of the hashes of their ids {ids.hash_sum}", counted)
    seconds = (micros(point.window.end) - micros(point.window.start)) / SECOND
    value = aggregated(parts, kpi.aggregation, seconds)
    checks = (
        same(f"{path}.aggregation", point.aggregation, how_of(kpi)),
        same(f"{path}.value", point.value, value),
    )
    how = formula_in(kpi) or formula(parts, kpi.aggregation, seconds)
    yield Line("value", f"{how} = {shown(value)}", checks)


def _threshold(case: Case, evidence: Evidence, point: RawPoint | WindowPoint, moved_by: FindingName) -> Iterator[Line]:
    row = case.rule_row()
    phase = FIRING if moved_by.transition == "resolved" else INACTIVE
    breach, limit, _ = threshold(row, phase, point.value)
    op = ("above", "below", "outside", "inside")[int(row["op"])]
    recovers = phase == FIRING and not np.isnan(row["recover_at"])
    from_where = "recover_at" if recovers else f"`{op}`"
    yield Line("limit", f"{shown(float(limit))} ({from_where})", (same(f"{EVIDENCE}.limit", evidence.limit, limit),))
    yield Line(
        "statistic",
        f"the value itself: {shown(point.value)} is {'' if breach else 'not '}{op} {_limits(row, float(limit), op)}",
        (
            same(f"{EVIDENCE}.statistic", evidence.statistic, point.value),
            same(f"{EVIDENCE}.baseline", evidence.baseline, None),
            _breached(case, moved_by, breach=bool(breach)),
        ),
    )


def _limits(row: Any, limit: float, op: str) -> str:
    return number(limit) if op in ("above", "below") else f"{number(row['low'])} to {number(row['high'])}"


def _breached(case: Case, moved_by: FindingName, *, breach: bool) -> Check:
    fires, wanted = moved_by.transition != "resolved", asked_of_last(case, moved_by)
    why = "it fires on a point that breaches" if fires else "it resolves on a point that does not breach"
    return holds("data.moved_by.transition", moved_by.transition, true=wanted in (None, breach), why=why)


def _change(case: Case, evidence: Evidence, point: RawPoint | WindowPoint, moved_by: FindingName) -> Iterator[Line]:
    row = case.rule_row()
    values = np.array([each.value for each in evidence.baseline_points], np.float64)
    if not isinstance(point, WindowPoint) or not len(values):
        raise ValueError("expected a window and earlier ones that a change is taken from")
    yield from _earlier(case, row, evidence, point.window.index)
    usual = float(median(values, len(values)))
    agrees = same(f"{EVIDENCE}.baseline", evidence.baseline, usual)
    yield Line("usual", f"the median of these {len(values)} is {shown(usual)}", (agrees,))
    _, breach, statistic, limit, _ = change(row, point.value, usual)
    size = f"({shown(point.value)} - {shown(usual)})" + (f" / {shown(abs(usual))}" if row["relative"] else "")
    yield Line(
        "statistic",
        f"{'relative' if row['relative'] else 'absolute'} change = {size} = {shown(float(statistic))}",
        (same(f"{EVIDENCE}.statistic", evidence.statistic, float(statistic)),),
    )
    checks = (
        same(f"{EVIDENCE}.limit", evidence.limit, None if np.isnan(limit) else float(limit)),
        _breached(case, moved_by, breach=bool(breach)),
    )
    yield Line("limit", f"{shown(float(limit))}: {'' if breach else 'not '}past it", checks)


def _of_window(lines: _LinesOfWindow) -> _Lines:
    """For a condition that only sees windows."""

    def judge(case: Case, evidence: Evidence, point: RawPoint | WindowPoint, moved_by: FindingName) -> Iterator[Line]:
        if not isinstance(point, WindowPoint):
            raise TypeError(f"expected a window, found a {type(point).__name__}")
        return lines(case, evidence, point, moved_by)

    return judge


def _earlier(case: Case, row: Any, evidence: Evidence, index: int) -> Iterator[Line]:
    view, count, lag = case.view_of(row), int(row["count"]), int(row["lag"])
    points = evidence.baseline_points
    checks = [same(f"{EVIDENCE}.baseline_points", len(points), count)]
    for place, point in enumerate(points):
        start = case.bounds(view, index - (len(points) - place) * lag).start
        checks.append(same(f"{EVIDENCE}.baseline_points[{place}].start", point.start, start))
    listed = ", ".join(f"{case.moment(point.start)}: {number(point.value)}" for point in points)
    apart = "" if lag == 1 else f", {lag} windows apart"
    yield Line("earlier", f"{count}{apart}: {listed}", tuple(checks))


def _gate(case: Case, value: float, moved_by: FindingName) -> Iterator[Line]:
    rule, episode, time = case.rule, case.data.episode, micros(case.data.event_time)
    if episode is None:
        return
    yield from often_lines(case, moved_by)
    run = "one point" if episode.points == 1 else f"{episode.points} points from {episode.first}"
    if moved_by.transition == "worsened":
        yield Line("renotify", *_worsened(case, episode, value))
        return
    if moved_by.transition == "firing":
        lasted = duration(time - micros(episode.first))
        asked = f"{duration(rule.for_)}; {run} to {episode.last} breached, for {lasted}"
        told = asked if rule.for_ else f"not asked for: it fires at the first point that breaches, {episode.last}"
        yield Line("for", told, tuple(_fired(case, episode, value, time)))
        return
    clear = duration(time - micros(episode.last))
    asked = f"{duration(rule.keep_firing_for)}; " if rule.keep_firing_for else "not asked for; "
    told = f"{asked}{run} to {episode.last} breached, {clear} before this one"
    yield Line("keep_firing_for", told, tuple(_resolved(case, episode, value, time)))


def _fired(case: Case, episode: Episode, value: float, time: int) -> Iterator[Check]:
    """The last point of the run through the engine's own life cycle: it must fire there, and leave this episode."""
    row, instances = case.rule_row(), np.zeros(1, layout.INSTANCE)
    instance = instances[0]
    instance["phase"] = INACTIVE
    if episode.points > 1:
        instance["phase"], instance["since"] = PENDING, micros(episode.first)
        instance["points"], instance["first"] = episode.points - 1, micros(episode.first)
        instance["worst"], instance["excess"] = episode.worst, _excess(row, episode.worst)
    made = advance(instance, row, True, time, value, _excess(row, value))  # noqa: FBT003 (compiled code)
    path = "data.episode"
    yield holds(f"{path}.first", episode.first, true=made == FIRED, why="by then the breach had lasted for `for`")
    yield same(f"{path}.points", episode.points, int(instance["points"]))
    yield same(f"{path}.first", episode.first, format_time(int(instance["first"])))
    yield same(f"{path}.last", episode.last, format_time(int(instance["last"])))
    yield same(f"{path}.worst", episode.worst, float(instance["worst"]))


def _worsened(case: Case, episode: Episode, value: float) -> tuple[str, tuple[Check, ...]]:
    """The value is the worst so far, and by the rule's step past the one that was told before it."""
    path, told = "data.episode", episode.told
    passed = told is not None and bool(is_step(case.rule_row(), episode.worst, told))
    step = case.rule.review.renotify
    asked = "" if step is None else f"{percent(step.by) if step.relative else number(step.by)} past it is told again"
    return f"{shown(told)} was told before; {asked}: {shown(value)}", (
        same(f"{path}.worst", episode.worst, value),
        holds(f"{path}.told", told, true=passed, why="by the step of `renotify` better than the worst"),
    )


def _excess(row: Any, value: float) -> float:
    """How far a value is past the limit; of others than thresholds the worst is only known to be the worst."""
    return float(threshold(row, INACTIVE, value)[2]) if row["kind"] == THRESHOLD else 0.0


def _resolved(case: Case, episode: Episode, value: float, time: int) -> Iterator[Check]:
    """As early as it can have recovered, and then the point that resolved it."""
    row, instances = case.rule_row(), np.zeros(1, layout.INSTANCE)
    instance, last = instances[0], micros(episode.last)
    instance["phase"], instance["since"] = (RECOVERING, last) if case.rule.keep_firing_for else (FIRING, 0)
    made = advance(instance, row, False, time, value, 0.0)  # noqa: FBT003 (compiled code)
    path = "data.episode"
    lasted = made == RESOLVED and last <= time
    yield holds(f"{path}.last", episode.last, true=lasted, why="it had been clear for `keep_firing_for`")
    first = micros(episode.first)
    ordered = first == last if episode.points == 1 else first <= last
    yield holds(f"{path}.first", episode.first, true=ordered, why="the first is not after the last; one is both")
    if row["kind"] == THRESHOLD:
        worst = threshold(row, INACTIVE, episode.worst)[0]
        yield holds(f"{path}.worst", episode.worst, true=bool(worst), why="the worst value breached")
