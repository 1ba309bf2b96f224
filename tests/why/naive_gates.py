"""The gates within a condition, written out: every point judged in turn, and one side of a conflict."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from naive_stage1 import breach, earlier_values, twin_of

from engine.rules.resolved.condition import Anomaly, Change, TrendBreak

if TYPE_CHECKING:
    from engine.model.time import Micros
    from engine.rules.resolved.rule import Rule

BOUNDS = ("within_bounds", "minimum_effect", "score")


@dataclass
class Verdict:
    time: Micros
    gate: str | None
    number: float | None


@dataclass
class Now:
    """A rule on a series: its last verdict, and the state machine after it."""

    last: Verdict | None = None
    state: str = "inactive"
    since: Micros = 0
    opened: Micros = 0
    clear: Micros | None = None
    """The first point after the last breach."""
    broken: bool = False
    """There has been a breach."""


def verdicts(  # noqa: C901, PLR0912 (written out)
    rule: Rule, points: list[tuple[Micros, float, int, int]]
) -> Now:
    """Every point in turn: the first gate that it does not pass, and what the life cycle makes of that."""
    now, twin, by_index = Now(), twin_of(rule), {index: value for _, value, index, _ in points}
    recent: list[bool] = []
    for place, (time, value, index, _) in enumerate(points):
        firing = now.state in ("firing", "recovering")
        gate, number = gate_of(rule, twin, index, value, by_index, firing=firing)
        if place < rule.warm_up:
            gate, number = "warm_up", place + 1.0
        now.last = Verdict(time, gate, number)
        if gate in ("warm_up", "zero_baseline"):
            continue
        if gate is None:
            now.broken, now.clear = True, None
        elif now.broken and now.clear is None:
            now.clear = time
        if rule.at_least is not None:
            recent.append(gate is None)
            held = sum(recent[-rule.at_least[1] :])
            if held >= rule.at_least[0]:
                gate = None
            elif held:
                gate, number = "at_least", float(held)
            now.last = Verdict(time, gate, number)
        if gate is None:
            if now.state == "inactive":
                now.state, now.since = "pending", time
            elif now.state == "recovering":
                now.state = "firing"
            if now.state == "pending" and time - now.since >= rule.for_:
                now.state, now.opened = "firing", time
            continue
        if now.state == "pending":
            now.state = "inactive"
        elif now.state == "firing":
            now.state, now.since = "recovering", time
        if now.state == "recovering" and time - now.since >= rule.keep_firing_for:
            now.state = "inactive"
    return now


def gate_of(  # noqa: PLR0911 (one for each kind)
    rule: Rule, twin: Any, index: int, value: float, by_index: dict[int, float], *, firing: bool
) -> tuple[str | None, float | None]:
    """None: the condition holds. The number is what is held against the limit."""
    if twin is None:
        return plain_gate(rule, index, value, by_index, firing=firing)
    found = twin.judge(index, value)
    if found is None:
        return "warm_up", None
    if found.breach:
        return None, None
    if isinstance(rule.condition, TrendBreak):
        if found.statistic > found.limit:
            return "minimum_effect", None
        return "within_bounds", found.statistic
    if isinstance(rule.condition, Anomaly):
        return anomaly_gate(rule.condition, found, value)
    return "within_bounds", found.statistic


def anomaly_gate(condition: Anomaly, found: Any, value: float) -> tuple[str, float]:
    if found.outside <= 0:
        return "within_bounds", found.score
    away = abs(value - found.usual)
    return ("minimum_effect", away) if away < condition.at_least else ("score", found.score)


def plain_gate(
    rule: Rule, index: int, value: float, by_index: dict[int, float], *, firing: bool
) -> tuple[str | None, float | None]:
    told = breach(rule, value, index, by_index, firing=firing)
    earlier = earlier_values(rule, index, by_index)
    if told is None:
        return ("warm_up" if None in earlier else "zero_baseline"), None
    if told[0]:
        return None, None
    if not isinstance(rule.condition, Change):
        return "within_bounds", value
    usual = statistics.median(earlier)
    return "within_bounds", (value - usual) / (abs(usual) if rule.condition.relative else 1)


class Side(NamedTuple):
    """`did`: better (less), worse, flat; empty where nothing can be said, for the reason `unknown`."""

    did: str
    unknown: str | None = None
    effect: float = 0.0


def side(values: dict[int, float], index: int) -> Side:
    """One side of the conflict, against the median of the two windows before."""
    if index not in values:
        return Side("", "side_missing")
    earlier = [values.get(index - 1), values.get(index - 2)]
    if None in earlier:
        return Side("", "warm_up")
    usual = statistics.median(each for each in earlier if each is not None)
    if usual == 0:
        return Side("", "zero_baseline")
    effect = (values[index] - usual) / abs(usual)
    did = "flat" if abs(effect) < 0.2 else "worse" if effect > 0 else "better"
    return Side(did, None, effect)
