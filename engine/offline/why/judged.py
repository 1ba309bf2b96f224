"""The gates within a condition: what it has to learn, its limits, and the least effect that counts; in words."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from engine.kernels.anomaly_layout import RECENT
from engine.model.time import format_time
from engine.offline.why.gates import Gate, Stop
from engine.review.numbers import number, percent
from engine.rules.resolved.condition import Anomaly, Change, Threshold, TrendBreak
from engine.rules.resolved.control import ControlChart, Cusum, Ewma, RunRules

if TYPE_CHECKING:
    from engine.offline.why.of_series import OnSeries
    from engine.offline.why.trail import Verdict

_REFERENCES = {"windows": "windows", "days": "days", "weekdays": "same weekdays"}
_SEASONS = 2


def warm_up_stop(on: OnSeries, last: Verdict) -> Stop:
    """The condition had nothing to say of the last point."""
    words, condition = on.series.words(on.rules), on.rule.condition
    when, begun = on.when(last.point), format_time(on.trail[0].point.start)
    if isinstance(condition, Change):
        earlier = f"{condition.count} {_REFERENCES[condition.reference]} before it"
        if last.seen == condition.count:
            told = f"{words} was {number(last.point.value)} {when}, but usually 0: no share of that is known."
            return Stop("zero_baseline", told, "a usual level of 0", "another, or a change that is not relative")
        told = f"{words} is not judged {when}: of the {earlier}, {last.seen} {_have(last.seen)} a value."
        return Stop("warm_up", told, f"{last.seen}", f"{condition.count}", begun, last.seen, condition.count)
    seen, needed, unit = _learned(on, last)
    if isinstance(condition, ControlChart) and seen >= needed:
        told = f"{words} has been the same in each of its {seen} windows by now: there is no scatter to learn."
        return Stop("warm_up", told, "no scatter", "windows that differ", begun)
    told = f"{words} is still being learned {when}: {seen} of {needed} windows{unit}."
    return Stop("warm_up", told, f"{seen} windows", f"{needed} windows{unit}", begun, seen, needed)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _learned(on: OnSeries, last: Verdict) -> tuple[int, int, str]:
    """(windows that count, how many a verdict takes, which ones): as many as the rule says, else two seasons.

    With a season, windows count from the first, whether something came in them or not.
    """
    row, condition = on.row, on.rule.condition
    before, apart = last.seen - 1, last.point.number - on.trail[0].point.number
    if isinstance(condition, ControlChart):
        return before, condition.learn, " before it"
    is_trend = isinstance(condition, TrendBreak)
    least = int(row["ring"]) if is_trend else RECENT
    learn = int(row["learn"])
    if learn or int(row["slots"]) == 1:
        needed = max(least, learn - 1 if is_trend else learn)
        return before, needed, " before it"
    needed = _SEASONS * int(row["season"]) + (least if is_trend else 0)
    return (before, least, " before it") if before < least else (apart, needed, " before it (two seasons)")


def bounds_stop(on: OnSeries, last: Verdict) -> Stop:
    """The last point is not past what it is held against: by its size, or for want of the least effect."""
    words, value, when = on.series.words(on.rules), number(last.point.value), on.when(last.point)
    was, since = f"{words} was {value} {when}", _since(on)
    gate, told, seen, needed = _held(on, last)
    return Stop(gate, f"{was}, {told}.", seen, needed, since, *_numbers(gate, last))


def _since(on: OnSeries) -> str | None:
    """The first point after the last breach; None where there never was one."""
    breaches = [place for place, each in enumerate(on.trail) if each.breach]
    if not breaches:
        return None
    after = next((each for each in on.trail[breaches[-1] + 1 :] if each.known), None)
    return None if after is None else format_time(after.point.end)


def _numbers(gate: Gate, last: Verdict) -> tuple[float | None, float | None]:
    seen, limit = (last.size, last.least) if gate == "minimum_effect" else (last.statistic, last.limit)
    return None if isnan(seen) else float(seen), None if isnan(limit) else float(limit)


def _held(on: OnSeries, last: Verdict) -> tuple[Gate, str, str, str]:
    """(gate, end of the sentence, value, needed)."""
    match on.rule.condition:
        case Threshold() as condition:
            return _threshold(condition, last)
        case Change() as condition:
            return _change(condition, last)
        case TrendBreak():
            return _trend(last)
        case Anomaly() as condition:
            return _anomaly(condition, last)
        case ControlChart() as condition:
            return _chart(condition, last)
    raise TypeError(f"expected a condition that is judged point by point, found {type(on.rule.condition).__name__}")


def _threshold(condition: Threshold, last: Verdict) -> tuple[Gate, str, str, str]:
    if condition.op in ("above", "below"):
        needed = f"{condition.op} {number(condition.high if condition.op == 'above' else condition.low)}"
    else:
        needed = f"{condition.op} {number(condition.low)} to {number(condition.high)}"
    return "within_bounds", f"not {needed}", number(last.point.value), needed


def _change(condition: Change, last: Verdict) -> tuple[Gate, str, str, str]:
    shown = percent if condition.relative else number
    side = "above" if last.statistic >= 0 else "below"
    usual = f"the median {number(last.baseline)} of the {condition.count} {_REFERENCES[condition.reference]} before"
    limits = [
        f"more than {shown(limit)} {way}"
        for limit, way in ((condition.up, "above"), (condition.down, "below"))
        if limit is not None
    ]
    needed = " or ".join(limits)
    seen = f"{shown(abs(last.statistic))} {side}"
    return "within_bounds", f"{seen} {usual}, not {needed} it", seen, needed


def _trend(last: Verdict) -> tuple[Gate, str, str, str]:
    statistic, limit = number(last.statistic), number(last.limit)
    if last.statistic > last.limit and last.size <= 0.0:
        told = (
            f"whose statistic {statistic} is past its limit {limit}, but it lies on the other side of its former level"
        )
        return "minimum_effect", told, number(last.size), "a shift to that side"
    if last.statistic > last.limit:
        told = f"a lasting break by {number(last.size)}, less than the {number(last.least)} that count"
        return "minimum_effect", told, number(last.size), f"at least {number(last.least)}"
    told = f"which makes no lasting break: the statistic {statistic} is not past its limit {limit}"
    return "within_bounds", told, f"statistic {statistic}", f"more than {limit}"


def _anomaly(condition: Anomaly, last: Verdict) -> tuple[Gate, str, str, str]:
    low, high = last.band or (float("nan"), float("nan"))
    band = f"its usual band of {number(low)} to {number(high)}"
    side = {"up": "above", "down": "below", None: "outside"}[condition.direction]
    if last.excess <= 0.0:
        return (
            "within_bounds",
            f"not {side} {band}",
            number(last.point.value),
            f"{side} {number(low)} to {number(high)}",
        )
    if last.size < last.least:
        told = f"{side} {band} by less than counts: {number(last.size)} from the usual {number(last.baseline)}, "
        return "minimum_effect", f"{told}not {number(last.least)}", number(last.size), f"at least {number(last.least)}"
    told = f"{side} {band}, but the score {number(last.statistic)} of the last windows is not past {number(last.limit)}"
    return "score", told, f"score {number(last.statistic)}", f"more than {number(last.limit)}"


def _chart(condition: ControlChart, last: Verdict) -> tuple[Gate, str, str, str]:
    statistic, limit, centre = number(last.statistic), number(last.limit), number(last.baseline)
    match condition.chart:
        case RunRules(rules=rules):
            told = f"{statistic} sigma from the centre {centre}, and completes none of its run rules"
            return "within_bounds", told, f"{statistic} sigma from the centre", f"one of {', '.join(rules)}"
        case Ewma():
            told = f"and its moving average {statistic} is not past the limit {limit}, about the centre {centre}"
            return "within_bounds", told, f"moving average {statistic}", f"past {limit}"
        case Cusum():
            told = f"and what it is away from the centre {centre} adds up to {statistic} sigma, not more than {limit}"
            return "within_bounds", told, f"sum {statistic} sigma", f"more than {limit} sigma"
