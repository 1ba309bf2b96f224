"""A level, its scatter and its memory, learned window by window so that no single one can move them far.

Deviations are clipped at three times their scale before they move anything (Huber's psi), the scale is that of the
mean distance, which heavy tails and mostly empty series leave in place, and the memory is the lag-1 correlation of the
clipped deviations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit, jit_apart
from engine.kernels.ewma import ewma
from engine.kernels.ordering import median_within
from engine.kernels.trend_layout import COVARIANCE, DEVIATION, DISTANCE, LEARNT, LEVEL, SCALE, VARIANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLIP = 3.0
GAIN_LEAST = 1.0 / 400.0
MEMORY_MOST = 0.9
DISTANCE_MOST = 20.0
SIGMA_OF_DISTANCE = 1.2533141373155003
"""The square root of pi / 2: sigma of a normal distribution whose mean distance is 1."""


@jit
def clipped(value: float, most: float) -> float:
    """`value` within `most` on either side."""
    return min(max(value, -most), most)


@jit_apart
def memory_of(history: NDArray[np.float64], base: int) -> float:
    """The share of a deviation that the next one keeps; none where deviations alternate."""
    if history[base + VARIANCE] <= 0.0:
        return 0.0
    return min(max(history[base + COVARIANCE] / history[base + VARIANCE], 0.0), MEMORY_MOST)


@jit_apart
def sigma_of(history: NDArray[np.float64], base: int, usual: float) -> float:
    """The scale of what is new in each window, never below what floats of that size can tell apart."""
    return max(history[base + SCALE], 1e-9 * abs(usual) + 1e-300)


@jit_apart
def scatter_of(history: NDArray[np.float64], base: int) -> float:
    """The scale of deviations, of which each repeats a part of the one before."""
    memory = memory_of(history, base)
    return history[base + SCALE] / np.sqrt(1.0 - memory * memory)


@jit_apart
def begin(history: NDArray[np.float64], base: int, work: NDArray[np.float64], values: int, count: int) -> None:
    """Begin with `count` values in `work`, in order of time; the 2 `count` floats after them are used."""
    free = values + count
    for place in range(count):
        work[free + place] = work[values + place]
    level = median_within(work, free, count)
    distance = 0.0
    for place in range(count):
        work[free + place] = abs(work[values + place] - level)
        distance = ewma(distance, work[free + place], 1.0 / (place + 1))
    scale = max(1.4826 * median_within(work, free, count), 0.5 * SIGMA_OF_DISTANCE * distance)
    variance = covariance = before = 0.0
    for place in range(count):
        deviation = clipped(work[values + place] - level, CLIP * scale)
        variance = ewma(variance, deviation * deviation, 1.0 / (place + 1))
        covariance = ewma(covariance, deviation * before, 1.0 / (place + 1))
        before = deviation
    history[base + LEVEL] = level
    history[base + VARIANCE] = variance
    history[base + COVARIANCE] = covariance
    history[base + DEVIATION] = before
    history[base + DISTANCE] = distance
    history[base + LEARNT] = count
    _begin_scale(history, base, work, values, count)


@jit_apart
def _begin_scale(history: NDArray[np.float64], base: int, work: NDArray[np.float64], values: int, count: int) -> None:
    level, memory, fresh = history[base + LEVEL], memory_of(history, base), 0.0
    for place in range(1, count):
        before = work[values + place - 1] - level
        fresh = ewma(fresh, abs(work[values + place] - level - memory * before), 1.0 / place)
    history[base + SCALE] = SIGMA_OF_DISTANCE * fresh


@jit_apart
def learn(history: NDArray[np.float64], base: int, value: float, adjoining: bool) -> float:  # noqa: FBT001 (compiled)
    """Take one more value, `adjoining` the last one; returns its deviation, clipped."""
    count = history[base + LEARNT] + 1.0
    gain = max(1.0 / count, GAIN_LEAST)
    scale, scatter = history[base + SCALE], scatter_of(history, base)
    deviation = value - history[base + LEVEL]
    fresh = abs(deviation - memory_of(history, base) * history[base + DEVIATION]) if adjoining else abs(deviation)
    distance = abs(deviation)
    held = deviation
    if scale > 0.0:
        fresh = min(fresh, DISTANCE_MOST * scale)
        distance = min(distance, DISTANCE_MOST * scatter)
        held = clipped(deviation, CLIP * scatter)
    history[base + LEARNT] = count
    history[base + SCALE] = ewma(scale, SIGMA_OF_DISTANCE * fresh, gain)
    history[base + DISTANCE] = ewma(history[base + DISTANCE], distance, gain)
    history[base + VARIANCE] = ewma(history[base + VARIANCE], held * held, gain)
    if adjoining:
        history[base + COVARIANCE] = ewma(history[base + COVARIANCE], held * history[base + DEVIATION], gain)
    history[base + LEVEL] += gain * held
    history[base + DEVIATION] = held
    return held
