"""inactive, pending, firing, recovering: what `for` and `keep_firing_for` make of a run of verdicts."""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit
from engine.kernels.layout import FIRED, FIRING, INACTIVE, NOTHING, PENDING, RECOVERING, RESOLVED, WORSENED


@jit
def advance(
    instance: Any,
    rule: Any,
    breach: bool,  # noqa: FBT001 (compiled code takes arguments by position)
    time: int,
    value: float,
    excess: float,
) -> int:
    """Take one verdict at event time `time`; returns NOTHING, FIRED, RESOLVED or WORSENED.

    `for` and `keep_firing_for` are event time between the first point of a run and the present one.
    """
    if breach:
        return _breached(instance, rule, time, value, excess)
    if instance.phase == PENDING:
        instance.phase = INACTIVE
    elif instance.phase == FIRING:
        instance.phase = RECOVERING
        instance.since = time
    if instance.phase == RECOVERING and time - instance.since >= rule.keep:
        instance.phase = INACTIVE
        return RESOLVED
    return NOTHING


@jit
def _breached(instance: Any, rule: Any, time: int, value: float, excess: float) -> int:
    if instance.phase == INACTIVE:
        instance.phase = PENDING
        instance.since = time
        instance.points = 0
        instance.first = time
        instance.excess = excess
        instance.worst = value
    elif instance.phase == RECOVERING:
        instance.phase = FIRING
    instance.points += 1
    instance.last = time
    is_worst = excess > instance.excess
    if is_worst:
        instance.excess = excess
        instance.worst = value
    if instance.phase == PENDING and time - instance.since >= rule.for_:
        instance.phase = FIRING
        instance.opened = time
        instance.told = instance.worst
        return FIRED
    if is_worst and instance.phase == FIRING and is_step(rule, instance.worst, instance.told):
        return WORSENED
    return NOTHING


@jit
def is_step(rule: Any, worst: float, told: float) -> bool:
    """Whether the worst value has moved on by the rule's step from the one that was told; never without a step."""
    step = rule.worse * abs(told) if rule.worse_relative else rule.worse
    return abs(worst - told) >= step
