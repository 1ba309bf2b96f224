"""The panel of what is off track: the windows that the forecast rests on, the course from here, and the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.off_track import Course
from engine.model.time import parse_own_time
from engine.offline.plot.picture import Level, Mark, Panel
from engine.review.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.model.trigger import OffTrackEvidence
    from engine.offline.explain.case import Case


def course_panel(case: Case, evidence: OffTrackEvidence, around: tuple[Mark, ...]) -> Panel:
    """`around` is what the log has of it."""
    kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
    now, due = parse_own_time(evidence.window.start), _due(case)
    marks = [Mark(parse_own_time(each.start), each.value) for each in evidence.points]
    course: tuple[Mark, ...] = ()
    if evidence.level is not None and evidence.forecast is not None:
        course = (Mark(now, evidence.level), Mark(due, evidence.forecast))
    return Panel(
        title=kpi.title,
        unit=kpi.unit,
        judged=tuple(mark for mark in marks if mark.time == now),
        earlier=tuple(mark for mark in marks if mark.time != now),
        expected=course,
        expected_name="course",
        around=around,
        levels=tuple(_levels(evidence, now, due)),
    )


def _due(case: Case) -> Micros:
    """Where the window begins that the target is due in."""
    bounds = case.bounds(case.join_view(), Course(case.rule, case.rules).due)
    return parse_own_time(bounds.start)


def _levels(evidence: OffTrackEvidence, now: Micros, due: Micros) -> Iterator[Level]:
    yield Level("limit", f"target {number(evidence.target)}", evidence.target)
    for value in (evidence.low, evidence.high):
        if value is not None:
            yield Level("recover", f"{number(value)} by {evidence.by}", value, now, due)
