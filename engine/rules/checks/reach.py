"""A limit can be passed by the values of its KPI, and not by all of them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import RuleSpec
    from engine.rules.spec.conditions import ThresholdSpec

RANGES: Final = {"share": (0.0, 1.0), "count": (1.0, inf), "distinct": (1.0, inf), "deviation": (0.0, inf)}
"""What a window can come to. One without measurements is not judged: a count is 1 at least."""

_WHY: Final = {
    "share": "a share lies between 0 and 1",
    "count": "a window without measurements is not judged, so a count is 1 at least; silence is `missing_data`",
    "distinct": "a window without measurements is not judged, so it holds one value at least",
    "deviation": "a standard deviation is not below zero",
}


def check_reach(declarations: Declarations) -> Iterator[Problem]:
    """A warning for each threshold that never fires, or always does."""
    for rule in declarations.rules.values():
        kpi = declarations.kpis.get(str(rule.data.get("kpi")))
        if not rule.has("condition", "points") or kpi is None or not kpi.has("aggregation"):
            continue
        threshold, aggregation = rule.spec.condition.threshold, kpi.spec.aggregation
        if threshold is None or rule.spec.points == "raw" or aggregation not in RANGES:
            continue
        name, never, always = _reached(threshold, *RANGES[aggregation])
        if never or always:
            yield _problem(rule, name, aggregation, never=never)


def _reached(threshold: ThresholdSpec, least: float, most: float) -> tuple[str, bool, bool]:
    """(which limit, fires for no value, fires for every value) of values from `least` to `most`."""
    if threshold.above is not None:
        return "above", most <= threshold.above, least > threshold.above
    if threshold.below is not None:
        return "below", least >= threshold.below, most < threshold.below
    if threshold.outside is not None:
        low, high = threshold.outside
        return "outside", low <= least and most <= high, high < least or most < low
    assert threshold.inside is not None  # noqa: S101 - the shape has exactly one limit
    low, high = threshold.inside
    return "inside", high < least or most < low, low <= least and most <= high


def _problem(rule: Declared[RuleSpec], name: str, aggregation: str, *, never: bool) -> Problem:
    return rule.problem(
        ("condition", "threshold", name),
        "unreachable" if never else "always-firing",
        expected=f"a limit that some windows of the KPI (`aggregation: {aggregation}`) pass and others do not",
        found="one that none can pass" if never else "one that all of them pass",
        mend=_WHY[aggregation],
        severity="warning",
    )
