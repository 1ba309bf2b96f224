"""One rule as a row of the table that kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels import layout
from engine.kernels.layout import CHANGE, MISSING, THRESHOLD
from engine.model.time import DAY
from engine.rules.lay_anomaly import lay_anomaly
from engine.rules.lay_control import lay_control
from engine.rules.lay_trend import lay_trend
from engine.rules.resolved.condition import Anomaly, Change, MissingData, Threshold, TrendBreak
from engine.rules.resolved.control import ControlChart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Window

_OPS = {"above": layout.ABOVE, "below": layout.BELOW, "outside": layout.OUTSIDE, "inside": layout.INSIDE}
_NAN = float("nan")


def lay_rule(rule: Rule, view: int, cells: int) -> NDArray[np.void]:
    """The row of a rule that looks through the view row `view`, whose ring has so many `cells`."""
    row = np.zeros((), layout.RULE)
    row["view"], row["for_"], row["keep"] = view, rule.for_, rule.keep_firing_for
    row["m"], row["of"] = rule.at_least or (0, 0)
    row["warm_up"] = rule.warm_up
    row["recover_at"] = row["up"] = row["down"] = row["low"] = row["high"] = row["worse"] = _NAN
    step = rule.review.renotify
    if step is not None and rule.group_by is None and isinstance(rule.condition, Threshold | Change):
        row["worse"], row["worse_relative"] = step.by, step.relative
    condition = rule.condition
    if isinstance(condition, Threshold):
        row["kind"], row["op"] = THRESHOLD, _OPS[condition.op]
        row["low"], row["high"] = _float(condition.low), _float(condition.high)
        row["recover_at"] = _float(condition.recover_at)
    elif isinstance(condition, Change):
        row["kind"], row["count"], row["relative"] = CHANGE, condition.count, condition.relative
        row["up"], row["down"] = _float(condition.up), _float(condition.down)
        row["lag"] = lag_of(condition.reference, rule.window)
        row["width"] = condition.count * row["lag"] + cells
    elif isinstance(condition, TrendBreak):
        lay_trend(row, condition, rule.window, _waits(rule))
    elif isinstance(condition, Anomaly):
        lay_anomaly(row, condition, rule.window, _waits(rule))
    elif isinstance(condition, ControlChart):
        lay_control(row, condition)
    elif isinstance(condition, MissingData):
        row["kind"], row["after"] = MISSING, condition.after
    return row


def _waits(rule: Rule) -> Micros:
    """How long a condition must be on before the rule fires: what lasts does not become the usual before that."""
    m, _ = rule.at_least or (1, 1)
    return rule.for_ + (m - 1) * rule.window.step


def _float(value: float | None) -> float:
    return _NAN if value is None else value


def lag_of(reference: str, window: Window) -> int:
    """How many windows lie between a window and the one before it that it is held against."""
    if reference == "windows":
        return 1
    day = 1 if window.zone is not None else DAY // window.step
    return day if reference == "days" else 7 * day
