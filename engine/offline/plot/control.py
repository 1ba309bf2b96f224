"""The panel of a control chart: its points, its centre, and where it is out of control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import parse_own_time
from engine.model.trigger import FindingName
from engine.offline.plot.picture import Around, Level, Mark, Panel
from engine.review.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.finding import ControlChart, Evidence
    from engine.offline.explain.case import Case

SIGMAS = 3.0
"""Control limits of a Shewhart chart."""


def control_panel(case: Case, evidence: Evidence, chart: ControlChart, around: Around) -> Panel:
    """Of an EWMA also the average; a CUSUM has no limit in the unit of the KPI."""
    kpi = case.rules.kpi_by_id[str(case.rule.kpi)]
    series = case.data.moved_by.series if isinstance(case.data.moved_by, FindingName) else kpi.id
    points = [(parse_own_time(each.start), each) for each in chart.points]
    averages = tuple(Mark(time, each.statistic) for time, each in points) if chart.chart == "ewma" else ()
    return Panel(
        title=f"{kpi.title} ({series})",
        unit=kpi.unit,
        judged=tuple(Mark(time, each.value) for time, each in points),
        expected=averages,
        expected_name="moving average",
        around=around.get(series, ()),
        levels=(Level("usual", f"centre {number(chart.centre)}", chart.centre), *_limits(evidence, chart)),
    )


def _limits(evidence: Evidence, chart: ControlChart) -> Iterator[Level]:
    if chart.chart == "ewma" and evidence.limit is not None:
        yield Level("limit", f"limit {number(evidence.limit)}", evidence.limit)
    elif chart.chart == "shewhart":
        for sign in (1.0, -1.0):
            limit = chart.centre + sign * SIGMAS * chart.sigma
            yield Level("limit", f"limit {number(limit)}", limit)
