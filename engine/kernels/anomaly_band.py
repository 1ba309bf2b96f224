"""The band of a series: level, season and scale, learned window by window so that no single one can move them far.

Deviations are held within three scales before they move anything (Huber's psi), distances and excesses within a few
times what they are (a winsorised mean). What lies beyond the band's edges is described by its mean excess, as in peaks
over threshold (Pickands 1975; streaming as in Siffer et al. 2017, with the exponential tail, which has one parameter).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart
from engine.kernels.anomaly_layout import (
    APART,
    BEFORE,
    DISTANCE,
    FIRST,
    HEAD_FLOATS,
    LEARNED,
    LEARNT,
    LEVEL,
    LOWER_EDGE,
    LOWER_EXCESS,
    MOVE,
    PLAIN_DISTANCE,
    PLAIN_LEVEL,
    RECENT,
    REPEATS,
    SEASONAL,
    SEEN,
    STARTED,
    UPPER_EDGE,
    UPPER_EXCESS,
    recent_at,
    season_at,
    widths_at,
)
from engine.kernels.baseline import CLIP, GAIN_LEAST, SIGMA_OF_DISTANCE, clipped
from engine.kernels.ewma import ewma
from engine.kernels.learned import slot_of
from engine.kernels.ordering import median_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAIL = 0.01
"""The share of windows that lies beyond either edge of the band."""
EDGE_FIRST, EXCESS_FIRST, EXCESS_WEIGHT = 2.33, 0.5, 20.0
"""What is believed at first, in scales, and as if seen in so many excesses: the edge of a normal distribution, and a
tail somewhat heavier than that."""
EDGE_LEAST, EXCESS_LEAST = 0.5, 0.15
EDGE_STEP, EDGE_YOUNG = 10.0, 14.0
EXCESS_MOST, DISTANCE_MOST = 6.0, 3.0
MEMORY_LEAST = 1.0 / 4000.0
"""The least gain of scale and tails: they remember some 4,000 windows."""
SEASONS_LEAST = 2
REPEATS_LEAST = 8
SEASONS_REMEMBERED = 8.0
WIDTH_LEAST, WIDTH_MOST, WIDTH_WEIGHT = 0.2, 4.0, 8.0
EXPLAINS, STILL_EXPLAINS = 1.0, 1.1
"""The season counts while the mean distance from it is below this share of the one from the level alone."""


@jit_apart
def clear_state(history: NDArray[np.float64], at: int, rule: Any, index: int) -> None:
    """Nothing known yet; `index` is the first window."""
    for place in range(at, at + rule.width // 2):
        history[place] = np.nan
    for place in range(at, at + HEAD_FLOATS):
        history[place] = 0.0
    history[at + FIRST] = history[at + LEARNED] = index
    history[at + UPPER_EDGE] = history[at + LOWER_EDGE] = EDGE_FIRST
    history[at + UPPER_EXCESS] = history[at + LOWER_EXCESS] = EXCESS_FIRST
    for slot in range(rule.slots):
        history[widths_at(at, rule) + slot] = 0.0


@jit_apart
def collect(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> bool:
    """Keep one of the first windows; whether it was, for the band begins when there are enough."""
    seen = history[at + SEEN]
    season = seen >= rule.learn if rule.learn > 0 else index - history[at + FIRST] >= rule.season
    if seen >= RECENT and season:
        return False
    place, count = season_at(at) + slot_of(rule, index), widths_at(at, rule) + slot_of(rule, index)
    if not np.isnan(history[place]):
        history[at + REPEATS] += 1.0
        history[at + APART] = ewma(history[at + APART], abs(value - history[place]), 1.0 / history[at + REPEATS])
    history[count] += 1.0
    history[place] = value if np.isnan(history[place]) else ewma(history[place], value, 1.0 / history[count])
    if seen > 0:
        history[at + MOVE] = ewma(history[at + MOVE], abs(value - history[at + BEFORE]), 1.0 / seen)
    history[at + BEFORE], history[at + LEARNED] = value, index
    history[recent_at(at) + int(seen) % RECENT] = value
    return True


@jit_apart
def begin_band(history: NDArray[np.float64], at: int, rule: Any, index: int, work: NDArray[np.float64]) -> None:
    """Begin with what was collected: the slots of a season, or where these are few the last windows."""
    first, count = recent_at(at), RECENT
    if rule.slots >= RECENT:
        first, count = season_at(at), rule.slots
    used = _copy(history, first, count, work)
    level = median_within(work, 0, used)
    used = _copy(history, first, count, work)
    distance = 0.0
    for place in range(used):
        distance = ewma(distance, abs(work[place] - level), 1.0 / (place + 1))
    history[at + LEVEL] = history[at + PLAIN_LEVEL] = level
    history[at + PLAIN_DISTANCE] = distance
    seasoned = history[at + APART] if history[at + REPEATS] >= REPEATS_LEAST else history[at + MOVE]
    history[at + DISTANCE] = min(distance, seasoned)
    history[at + LEARNT] = RECENT
    history[at + STARTED] = 1.0
    history[at + SEASONAL] = 1.0 if rule.slots > 1 and index - history[at + FIRST] >= rule.season else 0.0
    for slot in range(rule.slots):
        history[season_at(at) + slot] -= level
        history[widths_at(at, rule) + slot] = 1.0
    for place in range(RECENT):
        history[recent_at(at) + place] -= level
    if rule.slots == 1:
        history[season_at(at)] = 0.0


@jit
def _copy(history: NDArray[np.float64], first: int, count: int, work: NDArray[np.float64]) -> int:
    used = 0
    for place in range(first, first + count):
        if not np.isnan(history[place]):
            work[used] = history[place]
            used += 1
    return used


@jit
def added(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """What the season adds to the level in window `index`, whether it is in use or not."""
    found = history[season_at(at) + slot_of(rule, index)]
    return 0.0 if np.isnan(found) else found


@jit
def usual_of(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """What is usual of window `index`."""
    if history[at + SEASONAL] == 1.0:
        return history[at + LEVEL] + added(history, at, rule, index)
    return history[at + PLAIN_LEVEL]


@jit
def scale_of(distance: float, level: float) -> float:
    """The scale of deviations, never below what floats of that size can tell apart."""
    return max(SIGMA_OF_DISTANCE * distance, 1e-9 * abs(level) + 1e-300)


@jit
def width_of(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """How wide the band of a slot is, as a share of all: 1 where the season is not in use."""
    if history[at + SEASONAL] != 1.0:
        return 1.0
    return max(history[widths_at(at, rule) + slot_of(rule, index)], WIDTH_LEAST)


@jit_apart
def unit_of(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """What edges and excesses of window `index` are multiples of."""
    distance = history[at + DISTANCE] if history[at + SEASONAL] == 1.0 else history[at + PLAIN_DISTANCE]
    return width_of(history, at, rule, index) * scale_of(distance, history[at + LEVEL])


@jit_apart
def learn_window(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> None:
    """Take a window over, after it was judged."""
    _weigh_season(history, at, rule, index)
    score = (value - usual_of(history, at, rule, index)) / unit_of(history, at, rule, index)
    _learn_tail(history, at + UPPER_EDGE, at + UPPER_EXCESS, score, history[at + LEARNT])
    _learn_tail(history, at + LOWER_EDGE, at + LOWER_EXCESS, -score, history[at + LEARNT])
    history[at + LEARNT] += 1.0
    width = width_of(history, at, rule, index)
    deviation = value - history[at + LEVEL] - added(history, at, rule, index)
    held = _learn_level(history, at, LEVEL, DISTANCE, deviation, width)
    _learn_level(history, at, PLAIN_LEVEL, PLAIN_DISTANCE, value - history[at + PLAIN_LEVEL], 1.0)
    if rule.slots > 1:
        _learn_season(history, at, rule, index, deviation, held)
    history[at + LEARNED] = index


@jit_apart
def _learn_tail(history: NDArray[np.float64], edge: int, excess: int, score: float, learnt: float) -> None:
    """The edge follows the quantile by small steps (Robbins & Monro 1951), the excess is a mean of those beyond it."""
    step = EDGE_STEP * max(1.0 / (learnt - EDGE_YOUNG), MEMORY_LEAST) * history[excess]
    beyond = score - history[edge]
    if beyond > 0.0:
        gain = max(1.0 / (EXCESS_WEIGHT + (learnt - RECENT) * TAIL), MEMORY_LEAST / TAIL)
        history[edge] += step * (1.0 - TAIL)
        found = ewma(history[excess], min(beyond, EXCESS_MOST * history[excess]), gain)
        history[excess] = max(found, EXCESS_LEAST)
    else:
        history[edge] = max(history[edge] - step * TAIL, EDGE_LEAST)


@jit_apart
def _learn_level(
    history: NDArray[np.float64], at: int, level: int, distance: int, deviation: float, width: float
) -> float:
    """Move a level and the mean distance from it; returns the deviation, held within three scales."""
    learnt, scale = history[at + LEARNT], scale_of(history[at + distance], history[at + level])
    away, held = abs(deviation) / width, deviation
    if history[at + distance] > 0.0:
        away = min(away, DISTANCE_MOST * scale)
        held = clipped(deviation, CLIP * scale * width)
    history[at + distance] = ewma(history[at + distance], away, max(1.0 / learnt, MEMORY_LEAST))
    history[at + level] += max(1.0 / learnt, GAIN_LEAST) * held
    return held


@jit_apart
def _learn_season(history: NDArray[np.float64], at: int, rule: Any, index: int, deviation: float, held: float) -> None:
    place, width = season_at(at) + slot_of(rule, index), widths_at(at, rule) + slot_of(rule, index)
    count = (index - history[at + FIRST]) / rule.slots + 1.0
    relative = abs(deviation) / scale_of(history[at + DISTANCE], history[at + LEVEL]) * SIGMA_OF_DISTANCE
    gain = 1.0 / min(WIDTH_WEIGHT + count, WIDTH_WEIGHT * SEASONS_REMEMBERED)
    history[width] = ewma(history[width], min(relative, WIDTH_MOST * history[width]), gain)
    if np.isnan(history[place]):
        history[place] = deviation
    else:
        history[place] += held / min(count, SEASONS_REMEMBERED * rule.season / rule.slots)


@jit_apart
def _weigh_season(history: NDArray[np.float64], at: int, rule: Any, index: int) -> None:
    """Once a season, from the third on: is the mean distance from it less than the one from the level alone?"""
    season = (index - history[at + FIRST]) // rule.season
    if (
        rule.slots == 1
        or season < SEASONS_LEAST
        or season == (history[at + LEARNED] - history[at + FIRST]) // rule.season
    ):
        return
    if rule.declared == 1:
        history[at + SEASONAL] = 1.0
        return
    share = STILL_EXPLAINS if history[at + SEASONAL] == 1.0 else EXPLAINS
    explains = history[at + DISTANCE] < share * history[at + PLAIN_DISTANCE]
    history[at + SEASONAL] = 1.0 if explains else 0.0


@jit_apart
def move_level(history: NDArray[np.float64], at: int, work: NDArray[np.float64]) -> None:
    """What the last windows show is the usual from now on: level and scale begin anew with them."""
    used = _copy(history, recent_at(at), RECENT, work)
    shift = median_within(work, 0, used)
    away = 0.0
    for place in range(used):
        away = ewma(away, abs(work[place] - shift), 1.0 / (place + 1))
    for level, distance in ((LEVEL, DISTANCE), (PLAIN_LEVEL, PLAIN_DISTANCE)):
        history[at + level] += shift
        history[at + distance] = max(history[at + distance], away)
    for place in range(recent_at(at), recent_at(at) + RECENT):
        history[place] -= shift
    history[at + LEARNT] = min(history[at + LEARNT], RECENT)
