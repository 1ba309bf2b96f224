"""A control_chart rule as a row of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels import control_layout
from engine.kernels.control_layout import BY_RANGES, BY_SQUARES, CUSUM, EWMA, SHEWHART
from engine.kernels.layout import CONTROL
from engine.rules.resolved.control import Ewma, RunRules
from engine.rules.run_rules import tests_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.rules.resolved.control import ControlChart

_NAN = float("nan")


def lay_control(row: NDArray[np.void], condition: ControlChart) -> None:
    """Fill the row of a rule."""
    chart = condition.chart
    row["kind"] = CONTROL
    row["direction"] = {"up": 1, "down": -1, None: 0}[condition.direction]
    row["centre"] = _NAN if condition.centre is None else condition.centre
    row["sigma"] = _NAN if condition.sigma is None else condition.sigma
    row["scatter"] = BY_SQUARES if condition.sigma_from == "deviation" else BY_RANGES
    row["learn"] = condition.learn
    if isinstance(chart, RunRules):
        row["chart"], row["shapes"] = SHEWHART, tests_of(chart.rules)
    elif isinstance(chart, Ewma):
        row["chart"], row["gain"], row["level_limit"], row["varying"] = EWMA, chart.gain, chart.limit, chart.varying
    else:
        row["chart"], row["slack"], row["level_limit"] = CUSUM, chart.slack, chart.limit
        row["head_start"] = chart.head_start
    row["count"], row["scratch"] = control_layout.EVIDENCE_FLOATS, control_layout.RING
    row["width"] = control_layout.WIDTH
