"""A lasting change of slope: the means of the last stretches, freed of the former slope, rise or fall with time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit_apart
from engine.kernels.baseline import memory_of
from engine.kernels.ewma import ewma
from engine.kernels.mann_kendall import dependence, mann_kendall
from engine.kernels.ordering import median_within
from engine.kernels.theil_sen import theil_sen
from engine.kernels.trend_baseline import base_of, season_of
from engine.kernels.trend_layout import (
    BEFORE,
    ONSET,
    RECENT,
    SIZE,
    STRETCH,
    STRETCH_COUNT,
    STRETCH_SUM,
    STRETCHES,
    USUAL_SLOPE,
    stretches_at,
)
from engine.kernels.trend_level import widening_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECENT_LEAST = 24
"""Of the recent stretches so many must be there."""
SIGNIFICANT = 2.0
"""Z past which the earlier stretches have a slope at all."""
RISE_LEAST = 7
"""Stretches that a slope must have had to be measured."""
_VALUES, _FREE = STRETCHES, 2 * STRETCHES
"""Places in the work space: times come first."""


@jit_apart
def add_to_stretch(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> bool:
    """Sum the newest window up, without its season; whether that ended a stretch."""
    number, ended = index // rule.stretch, False
    if np.isnan(history[at + STRETCH]):
        history[at + STRETCH] = number
        history[at + STRETCH_SUM] = history[at + STRETCH_COUNT] = 0.0
    elif number != history[at + STRETCH]:
        _end_stretch(history, at, rule, number)
        ended = True
    history[at + STRETCH_SUM] += value - season_of(history, at, rule, index)
    history[at + STRETCH_COUNT] += 1.0
    return ended


@jit_apart
def _end_stretch(history: NDArray[np.float64], at: int, rule: Any, number: int) -> None:
    """Keep the mean; stretches between it and `number` had nothing."""
    first, last = stretches_at(at, rule), int(history[at + STRETCH])
    count = history[at + STRETCH_COUNT]
    history[first + last % STRETCHES] = history[at + STRETCH_SUM] / count if count > 0.0 else np.nan
    for missing in range(max(last + 1, number - STRETCHES), number):
        history[first + missing % STRETCHES] = np.nan
    history[at + STRETCH] = number
    history[at + STRETCH_SUM] = history[at + STRETCH_COUNT] = 0.0


@jit_apart
def _gather(history: NDArray[np.float64], at: int, rule: Any, begin: int, end: int, work: NDArray[np.float64]) -> int:
    """Numbers and means of the stretches from `begin` to below `end` into the work space; how many there were."""
    count = 0
    for number in range(begin, end):
        mean = history[stretches_at(at, rule) + number % STRETCHES]
        if not np.isnan(mean):
            work[count] = number
            work[_VALUES + count] = mean
            count += 1
    return count


@jit_apart
def _widening(history: NDArray[np.float64], at: int, rule: Any, count: int) -> float:
    """By how much Z scatters more than that of independent stretches: means of windows that remember each other."""
    memory = memory_of(history, base_of(history, at))
    kept = memory**rule.stretch
    first = 0.0
    if memory > 0.0:
        spread = rule.stretch * (1.0 - memory * memory) - 2.0 * memory * (1.0 - kept)
        first = memory * (1.0 - kept) * (1.0 - kept) / spread
    return widening_of(history, at) * np.sqrt(dependence(count, first, kept))


@jit_apart
def learn_slope(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> None:
    """The usual slope is that of the stretches before the recent ones, none where it is not significant; while there
    are too few of them it stays what it was.
    """
    end = int(history[at + STRETCH])
    count = _gather(history, at, rule, end - STRETCHES, end - RECENT, work)
    if count < RECENT:
        return
    rising = mann_kendall(work, _VALUES, count) / _widening(history, at, rule, count)
    significant = abs(rising) > SIGNIFICANT
    history[at + USUAL_SLOPE] = theil_sen(work, 0, _VALUES, count, _FREE) if significant else 0.0


@jit_apart
def recent_stretches(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> int:
    """The recent stretches into the work space, freed of the usual slope; how many there are."""
    end = int(history[at + STRETCH])
    count = _gather(history, at, rule, end - RECENT, end, work)
    for place in range(count):
        work[_VALUES + place] -= history[at + USUAL_SLOPE] * (work[place] - work[0])
    return count


@jit_apart
def slope_statistic(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> tuple[float, float]:
    """(Z, widening) of the recent stretches; Z is 0 while too few are there."""
    count = recent_stretches(history, at, rule, work)
    if count < RECENT_LEAST:
        return 0.0, 1.0
    widening = _widening(history, at, rule, count)
    return mann_kendall(work, _VALUES, count) / widening, widening


@jit_apart
def measure_slope(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> None:
    """Note onset, former slope and the size of its change, a window."""
    count = recent_stretches(history, at, rule, work)
    bend = _bend(work, count)
    history[at + ONSET] = work[bend] * rule.stretch
    history[at + BEFORE] = history[at + USUAL_SLOPE] / rule.stretch
    history[at + SIZE] = theil_sen(work, bend, _VALUES + bend, count - bend, _FREE) / rule.stretch


@jit_apart
def _bend(work: NDArray[np.float64], count: int) -> int:
    """Where a line that is level first and then rises or falls fits best (least squares)."""
    best, found = -1.0, 0
    for bend in range(count - RISE_LEAST + 1):
        mean_rise, mean_value = 0.0, 0.0
        for place in range(count):
            mean_rise = ewma(mean_rise, max(0.0, work[place] - work[bend]), 1.0 / (place + 1))
            mean_value = ewma(mean_value, work[_VALUES + place], 1.0 / (place + 1))
        square, product = 0.0, 0.0
        for place in range(count):
            rise = max(0.0, work[place] - work[bend]) - mean_rise
            square += rise * rise
            product += rise * (work[_VALUES + place] - mean_value)
        explained = product * (product / square)
        if explained > best:
            best, found = explained, bend
    return found


@jit_apart
def join_stretches(history: NDArray[np.float64], at: int, rule: Any, shift: float) -> None:
    """After a shift of the level that has lasted: the stretches before it as if they had been at the new level."""
    if np.isnan(history[at + STRETCH]):
        return
    broken, end = int(history[at + ONSET]) // rule.stretch, int(history[at + STRETCH])
    for number in range(end - rule.stretches, min(broken, end)):
        history[stretches_at(at, rule) + number % STRETCHES] += shift


@jit_apart
def leave_out(history: NDArray[np.float64], at: int, rule: Any, index: int) -> None:
    """After a shift that passed by window `index`: the stretches that it touched say nothing of the slope."""
    if rule.stretches == 0:
        return
    end = index // rule.stretch
    for number in range(max(end - STRETCHES, int(history[at + ONSET]) // rule.stretch), end):
        history[stretches_at(at, rule) + number % STRETCHES] = np.nan
    history[at + STRETCH_SUM] = history[at + STRETCH_COUNT] = 0.0


@jit_apart
def keep_recent(history: NDArray[np.float64], at: int, rule: Any) -> None:
    """Forget the stretches before the recent ones: the slope that they had is no longer the usual one."""
    end = int(history[at + STRETCH])
    for number in range(end - STRETCHES, end - RECENT):
        history[stretches_at(at, rule) + number % STRETCHES] = np.nan


@jit_apart
def usual_line(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> tuple[int, float]:
    """(how many, height) of the recent stretches: their usual line begins at that height, the median once freed of
    the usual slope. Numbers and freed means are left in the work space.
    """
    count = recent_stretches(history, at, rule, work)
    for place in range(count):
        work[_FREE + place] = work[_VALUES + place]
    return count, median_within(work, _FREE, count)
