"""Where a control chart has its centre and its limits: declared, or learned in phase I and then frozen."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels._jit import jit, jit_apart
from engine.kernels.control_layout import (
    BY_SQUARES,
    CENTRE,
    HEAD_FLOATS,
    LAST,
    LEARNED,
    MEAN,
    RANGES,
    SIGMA,
    SQUARES,
)
from engine.kernels.ewma import ewma
from engine.kernels.learned import held_within

RANGE_OF_SIGMA = 1.128
"""d2 for two points: the mean moving range of independent normal values, in sigmas (Montgomery, Introduction to
Statistical Quality Control, section 6.4; NIST/SEMATECH e-Handbook 6.3.2.2)."""
NEGLIGIBLE = 1e-12
"""A scatter of this share of the centre is what rounding makes."""


@jit_apart
def begin_limits(history: Any, at: int, rule: Any) -> None:
    """Before the first window: what is declared altogether is frozen at once."""
    for place in range(HEAD_FLOATS):
        history[at + place] = 0.0
    declared = not np.isnan(rule.centre) and not np.isnan(rule.sigma)
    history[at + CENTRE] = rule.centre if declared else np.nan
    history[at + SIGMA] = rule.sigma if declared else np.nan


@jit_apart
def learn_limits(history: Any, at: int, rule: Any, value: float) -> None:
    """Take a window of phase I, and freeze the limits when there are enough and they are not all the same.

    Mean and sum of squares go on by each window (Welford, Technometrics 4, 1962).
    """
    count = history[at + LEARNED] + 1.0
    if count > 1.0:
        history[at + RANGES] += abs(value - history[at + LAST])
    deviation = value - history[at + MEAN]
    history[at + MEAN] = ewma(history[at + MEAN], value, 1.0 / count)
    history[at + SQUARES] += deviation * (value - history[at + MEAN])
    history[at + LAST] = value
    history[at + LEARNED] = count
    if count < rule.learn:
        return
    centre = history[at + MEAN] if np.isnan(rule.centre) else rule.centre
    sigma = _scatter(history, at, rule) if np.isnan(rule.sigma) else rule.sigma
    if sigma > NEGLIGIBLE * abs(history[at + MEAN]):
        history[at + CENTRE] = centre
        history[at + SIGMA] = sigma


@jit
def _scatter(history: Any, at: int, rule: Any) -> float:
    apart = history[at + LEARNED] - 1.0
    if rule.scatter == BY_SQUARES:
        return np.sqrt(history[at + SQUARES] / apart)
    return history[at + RANGES] / apart / RANGE_OF_SIGMA


@jit
def score_of(value: float, centre: float, sigma: float) -> float:
    """How many sigmas a value is above the centre."""
    return held_within((value - centre) / sigma)


@jit
def ewma_width(rule: Any, sigma: float, judged: float) -> float:
    """How far the limits of an EWMA are from the centre: steady, or as they widen with the points so far (Montgomery,
    section 9.2; NIST/SEMATECH e-Handbook 6.3.2.4).
    """
    share = rule.gain / (2.0 - rule.gain)
    if rule.varying:
        share *= 1.0 - (1.0 - rule.gain) ** (2.0 * judged)
    return rule.level_limit * sigma * np.sqrt(share)
