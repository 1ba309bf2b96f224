"""Verdicts that wait for more than one point: m of the last n, and none while a series is new."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels._jit import jit

OFTEN_MAX = 32
"""The most points that `of` may look back on: a bit each."""


@jit
def is_warming_up(instance: Any, rule: Any) -> bool:
    """Whether the point belongs to the first `warm_up` of its series, of which nothing is said; counts it there."""
    if instance.seen >= rule.warm_up:
        return False
    instance.seen += 1
    return True


@jit
def is_often(instance: Any, rule: Any, breach: bool) -> bool:  # noqa: FBT001 (compiled code takes arguments by position)
    """Whether at least `m` of the last `of` points breached, the present one among them; remembers it."""
    recent = instance.recent << np.uint64(1)
    if breach:
        recent |= np.uint64(1)
    recent &= (np.uint64(1) << np.uint64(rule.of)) - np.uint64(1)
    instance.recent = recent
    count = 0
    while recent != np.uint64(0):
        recent &= recent - np.uint64(1)
        count += 1
    return count >= rule.m
