"""How far back a rule looks: how much of the past it must have seen before it says what it says today.

A state out of a checkpoint has seen it. One that is made anew from the log has seen what the log still keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engine.model.time import DAY, Micros
from engine.rules.calendar import LONGEST
from engine.rules.lay_anomaly import SLOT as ANOMALY_SLOT
from engine.rules.lay_rule import lag_of
from engine.rules.lay_trend import SLOT as TREND_SLOT
from engine.rules.resolved.condition import (
    Anomaly,
    Change,
    Composite,
    CounterpartConflict,
    Judge,
    MissingData,
    OffTrack,
    Reconciliation,
    TrendBreak,
)
from engine.rules.resolved.control import ControlChart
from engine.rules.resolved.governance import (
    AlwaysGreen,
    GreenOverFalling,
    RestatedInFavour,
    UnprovenMilestone,
    Vanity,
)
from engine.rules.season import season_of

if TYPE_CHECKING:
    from engine.rules.resolved.condition import Condition
    from engine.rules.resolved.rule import Rule
    from engine.rules.resolved.timing import Window

LEAST: Final = 24
"""Windows that conditions which learn have seen at least before they judge."""
SEASONS: Final = 2


class LookBack(NamedTuple):
    """How long altogether, and the field of the rule (as in the file) that most of it comes from."""

    time: Micros
    most_by: str


def look_back_of(rule: Rule) -> LookBack:
    """The event time from the first measurement that a rule needs to the moment at which it can fire; where it fires,
    what it needs to go on: whichever is longer.
    """
    parts = {
        "condition": _of_condition(rule),
        "window": 0 if _is_windowless(rule) else _length_of(rule.window),
        "at_least": 0 if rule.at_least is None else (rule.at_least[1] - 1) * _step(rule),
        "for": rule.for_,
    }
    warm_up = rule.warm_up * _step(rule)
    if warm_up > parts["condition"]:
        parts["warm_up"], parts["condition"] = warm_up, 0
    if rule.keep_firing_for > rule.for_:
        parts["keep_firing_for"], parts["for"] = rule.keep_firing_for, 0
    return LookBack(sum(parts.values()), max(parts, key=lambda name: parts[name]))


def _is_windowless(rule: Rule) -> bool:
    return rule.points == "raw" or isinstance(rule.condition, MissingData | Composite)


def _step(rule: Rule) -> Micros:
    """How far points lie apart; nobody knows it of raw ones."""
    return 0 if _is_windowless(rule) else rule.window.step


def _length_of(window: Window) -> Micros:
    return window.size if window.since is None else LONGEST[window.since] * DAY


def _of_condition(rule: Rule) -> Micros:
    condition = rule.condition
    if isinstance(condition, MissingData):
        return condition.after
    if isinstance(condition, Composite):
        return condition.within
    return _windows(condition, rule.window) * rule.window.step


def _windows(condition: Condition, window: Window) -> int:
    """Windows before the one that is judged."""
    match condition:
        case Change():
            return condition.count * lag_of(condition.reference, window)
        case TrendBreak():
            return condition.learn or _learned(window, TREND_SLOT, None)
        case Anomaly():
            return condition.learn or _learned(window, ANOMALY_SLOT, condition.season)
        case ControlChart():
            declared = condition.centre is not None and condition.sigma is not None
            return 0 if declared else condition.learn
        case CounterpartConflict():
            return _of_conflict(condition, window)
        case _:
            return max(0, _together(condition) - 1)


def _together(condition: Condition) -> int:
    """Windows that a condition looks at as a whole, the one that is judged among them."""
    match condition:
        case Reconciliation():
            return condition.over
        case OffTrack():
            return condition.learn
        case AlwaysGreen() | GreenOverFalling() | Vanity() | RestatedInFavour() | UnprovenMilestone():
            return condition.windows
        case _:
            return 1


def _of_conflict(condition: CounterpartConflict, window: Window) -> int:
    sides = [_of_judge(condition.improves, condition.over, window)]
    sides += [each.lag + _of_judge(each.judge, condition.over, window) for each in condition.counterparts]
    return max(sides) + condition.over - 1


def _learned(window: Window, slot: Micros, season: str | None) -> int:
    """Windows that are learned from unless the rule says how many."""
    length, slots = season_of(window, slot, season)
    return max(LEAST, SEASONS * length if slots > 1 else 0)


def _of_judge(judge: Judge, over: int, window: Window) -> int:
    """Windows back to the oldest that the usual level rests on."""
    stride = over if judge.reference == "windows" else lag_of(judge.reference, window)
    return 0 if judge.level is not None else judge.count * stride
