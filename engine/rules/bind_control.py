"""The running form of a control_chart condition, with every default filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules
from engine.rules.run_rules import rules_named

if TYPE_CHECKING:
    from engine.rules.spec.control import ControlChartSpec

LEARN = 25
"""Windows of phase I: Montgomery asks for 20 to 25 samples (Introduction to Statistical Quality Control, chapter 5)."""


def bind_control_chart(spec: ControlChartSpec) -> ControlChart:
    """What the rule file says, and where it says nothing what is usual."""
    return ControlChart(
        chart=_chart(spec),
        direction=spec.direction,
        centre=spec.centre,
        sigma=spec.sigma,
        sigma_from=spec.sigma_from or "moving_range",
        learn=spec.learn or LEARN,
    )


def _chart(spec: ControlChartSpec) -> RunRules | Ewma | Cusum:
    if spec.ewma:
        return Ewma(spec.ewma.lambda_, spec.ewma.limit, spec.ewma.limits == "varying")
    if spec.cusum:
        return Cusum(spec.cusum.slack, spec.cusum.limit, spec.cusum.head_start)
    return RunRules(rules_named(spec.rules or (), sided=spec.direction is not None))
