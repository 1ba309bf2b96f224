"""Evidence of an anomaly, recomputed from its windows by the kernel that found it: surprises, their sum, its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels.anomaly import surprise_at
from engine.kernels.anomaly_layout import RUN, RUN_FLOATS
from engine.offline.explain.account import Check, Line, holds, same, shown
from engine.offline.explain.case import micros
from engine.offline.explain.often import asked_of_last
from engine.review.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.finding import Anomaly, BandPoint, Evidence, WindowPoint
    from engine.model.trigger import FindingName
    from engine.offline.explain.case import Case

ANOMALY = "data.evidence.anomaly"


def anomaly_lines(case: Case, evidence: Evidence, point: WindowPoint, moved_by: FindingName) -> Iterator[Line]:
    """The bands, what of the windows surprised, and what that comes to."""
    anomaly = evidence.anomaly
    if not anomaly or not anomaly.points:
        raise ValueError("expected the windows that an anomaly tells of")
    fires, unusual = moved_by.transition == "firing", anomaly.state == "unusual"
    asked = asked_of_last(case, moved_by)
    state = holds(f"{ANOMALY}.state", anomaly.state, true=asked in (None, unusual), why="while it fires")
    began = holds(
        f"{ANOMALY}.began", anomaly.began, true=micros(anomaly.began) < _end(case), why="not after this window"
    )
    season = "the season in use" if anomaly.seasonal else "no season in use"
    yield Line("band", f"{anomaly.state}, since {case.moment(anomaly.began)}; {season}", (state, began))
    yield _windows(case, evidence, anomaly, point)
    surprises = [_surprise(case.rule_row(), each) for each in anomaly.points]
    yield Line("surprises", ", ".join(shown(each) for each in surprises))
    if fires and unusual:
        yield _score(case, evidence, anomaly, surprises)
    elif unusual:
        yield Line("statistic", "none: it resolves", _untested(evidence))
    else:
        yield _ended(case, anomaly, surprises, () if fires else _untested(evidence))


def _end(case: Case) -> int:
    return micros(case.data.event_time)


def _windows(case: Case, evidence: Evidence, anomaly: Anomaly, point: WindowPoint) -> Line:
    view, points = case.view_of(case.rule_row()), anomaly.points
    cells = [case.cell(view, each.start) + int(view["span"]) - 1 for each in points]
    checks: list[Check] = []
    for place, (cell, each) in enumerate(zip(cells, points, strict=True)):
        path = f"{ANOMALY}.points[{place}]"
        checks.append(same(f"{path}.start", each.start, case.bounds(view, cell).start))
        checks.append(
            holds(f"{path}.usual", each.usual, true=each.low <= each.usual <= each.high, why="within its band")
        )
        checks.append(holds(f"{path}.excess", each.excess, true=each.excess > 0.0, why="a distance"))
    few = len(points) <= RUN and cells == sorted(set(cells))
    checks.append(holds(f"{ANOMALY}.points", len(points), true=few, why=f"at most {RUN}, each once, oldest first"))
    newest = f"{ANOMALY}.points[{len(points) - 1}]"
    checks.append(same(f"{newest}.start", points[-1].start, point.window.start))
    checks.append(same(f"{newest}.value", points[-1].value, point.value))
    checks.append(same("data.evidence.baseline", evidence.baseline, points[-1].usual))
    listed = ", ".join(
        f"{case.moment(each.start)}: {number(each.value)} ({number(each.low)} to {number(each.high)})"
        for each in points
    )
    return Line("windows", f"{len(points)}, each with its band: {listed}", tuple(checks))


def _surprise(row: Any, point: BandPoint) -> float:
    """By the kernel, with the direction and the least size that the rule asks for."""
    run = np.zeros(RUN_FLOATS, np.float64)
    run[1:] = (point.value, point.usual, point.low, point.high, point.excess)
    return float(surprise_at(run, 0, row))


def _score(case: Case, evidence: Evidence, anomaly: Anomaly, surprises: list[float]) -> Line:
    """Past its limit where it begins; what `for` keeps waiting need not be so any more."""
    limit, score = float(case.rule_row()["level_limit"]), 0.0
    for each in surprises:
        score += each
    checks = [
        same("data.evidence.limit", evidence.limit, limit),
        same("data.evidence.statistic", evidence.statistic, score),
    ]
    if anomaly.began == anomaly.points[-1].start:
        raised = surprises[-1] > 0.0 and score > limit
        checks.append(holds("data.evidence.statistic", evidence.statistic, true=raised, why="past its limit"))
    return Line("statistic", f"their sum = {shown(score)}, against {shown(limit)}", tuple(checks))


def _untested(evidence: Evidence) -> tuple[Check, ...]:
    """What is told when a rule resolves has no score; with `at_least` and `for` one may fire after an incident."""
    return (
        same("data.evidence.statistic", evidence.statistic, None),
        same("data.evidence.limit", evidence.limit, None),
    )


def _ended(case: Case, anomaly: Anomaly, surprises: list[float], untested: tuple[Check, ...]) -> Line:
    checks = list(untested)
    if not case.rule.keep_firing_for and case.rule.at_least is None:  # else it was back some windows ago
        back = surprises[-1] == 0.0
        checks.append(holds(f"{ANOMALY}.state", anomaly.state, true=back, why="within its band"))
    calm = int(case.rule_row()["calm"])
    told = "as soon as a window is within its band" if calm == 1 else f"after {calm} windows within their bands"
    return Line("ended", told, tuple(checks))
