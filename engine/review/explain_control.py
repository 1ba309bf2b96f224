"""What a control chart says, as the end of a sentence that begins with the value: "was 53 on 2 March, ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.review.numbers import number
from engine.rules.run_rules import RUN_RULES

if TYPE_CHECKING:
    from engine.model.finding import ControlChart, Evidence

_SIDES = {"up": "above", "down": "below", None: "about"}


def control_words(evidence: Evidence, chart: ControlChart, begun: str | None) -> str:
    """`begun` names the window of the onset, where there is one."""
    match chart.chart:
        case "shewhart":
            return _runs(chart) if chart.rules else f"and no run rule holds about the centre {number(chart.centre)}"
        case "ewma":
            return _average(evidence, chart)
        case _:
            return _sum(evidence, chart, begun)


def _runs(chart: ControlChart) -> str:
    """A rule that looks beyond a zone is about the side of the last point, one of order about its last step."""
    last = [point.statistic for point in chart.points[-2:]]
    side = "above" if last[-1] > 0 else "below"
    way = "higher" if last[-1] > last[0] else "lower"
    centre = number(chart.centre)
    named = (f"{RUN_RULES[name].says.format(side=side, way=way, centre=centre)} ({name})" for name in chart.rules)
    return " and ".join(named)


def _is_past(evidence: Evidence, chart: ControlChart) -> bool:
    """Of a rule with `at_least` the present point need not be."""
    statistic, limit = evidence.statistic or 0.0, evidence.limit or 0.0
    below = chart.chart == "ewma" and chart.direction == "down"
    return statistic < limit if below else statistic > limit


def _average(evidence: Evidence, chart: ControlChart) -> str:
    past = _SIDES[chart.direction] if _is_past(evidence, chart) else "within"
    mean, limit = number(evidence.statistic), number(evidence.limit)
    return f"and its moving average {mean} is {past} the limit {limit}, about the centre {number(chart.centre)}"


def _sum(evidence: Evidence, chart: ControlChart, begun: str | None) -> str:
    apart = f"what it is {_SIDES[chart.direction]} the centre {number(chart.centre)}"
    total, limit = number(evidence.statistic), number(evidence.limit)
    if _is_past(evidence, chart):
        return f"and {apart} adds up to {total} sigma since {begun}, past the limit {limit}"
    return f"and {apart} adds up to {total} sigma, within the limit {limit}"
