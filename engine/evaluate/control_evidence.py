"""The rows of evidence of a control chart as what anybody can recompute it from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from engine.kernels.control_layout import CUSUM, EWMA, FACTS, SHEWHART
from engine.kernels.layout import CONTROL
from engine.model.finding import ControlChart, ControlPoint
from engine.rules.resolved.control import ControlChart as ControlChartRule
from engine.rules.resolved.control import RunRules
from engine.rules.run_rules import rules_among

if TYPE_CHECKING:
    from engine.kernels.layout import Tables
    from engine.rules.resolved.rule import Rule
    from engine.state.partition import PartitionState

_CHARTS = {SHEWHART: "shewhart", EWMA: "ewma", CUSUM: "cusum"}


def control_of(state: PartitionState, tables: Tables, rule: Rule, row: Any, result: Any) -> ControlChart | UnsetType:
    """The chart that a TRANSITION row of a control_chart rule tells of; nothing for other rules, and where the rule
    was taken away. `row` is the rule's.
    """
    first, count = int(result["evidence"]), int(result["evidences"])
    if row["kind"] != CONTROL or count < FACTS:
        return UNSET
    facts = tables.evidence_value[first : first + FACTS].tolist()
    chart, hits, side, centre, sigma, learned, judged, since = facts
    view = int(row["view"])
    points = tuple(_points(state, tables, view, first + FACTS, first + count))
    onset = points[0].start if hits else None
    return ControlChart(
        chart=_CHARTS[int(chart)],  # type: ignore[arg-type]
        rules=_rules(rule, int(hits)),
        direction="up" if side > 0 else "down" if side < 0 else None,
        centre=centre,
        sigma=sigma,
        learned=int(learned),
        judged=int(judged),
        onset=state.starts.told(view, int(since)) if chart == CUSUM else onset,
        points=points,
    )


def _rules(rule: Rule, hits: int) -> tuple[str, ...]:
    condition = rule.condition
    if isinstance(condition, ControlChartRule) and isinstance(condition.chart, RunRules):
        return rules_among(condition.chart.rules, hits)
    return ()


def _points(state: PartitionState, tables: Tables, view: int, first: int, end: int) -> list[ControlPoint]:
    indices = tables.evidence_index[first:end].tolist()
    values = tables.evidence_value[first:end].tolist()
    return [
        ControlPoint(start=state.starts.told(view, index), value=value, statistic=statistic)
        for index, value, statistic in zip(indices[::2], values[::2], values[1::2], strict=True)
    ]
