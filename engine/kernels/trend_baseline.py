"""What is usual of each window: level and, where it explains enough, the season, learned from the windows that have
left the ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart
from engine.kernels.baseline import begin, clipped, learn, memory_of, scatter_of
from engine.kernels.learned import slot_of
from engine.kernels.trend_layout import (
    BASELINE_FLOATS,
    DISTANCE,
    FIRST,
    HEAD_FLOATS,
    LEARNED,
    LEARNT,
    LEVEL,
    PLAIN,
    SEASONAL,
    SEASONED,
    SEEN,
    SINCE,
    SPREAD,
    STRETCH,
    ring_at,
    season_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEASONS_REMEMBERED = 8
SEASONS_LEAST = 2
EXPLAINS, STILL_EXPLAINS = 0.9, 0.95
"""The season counts while the mean distance from it is below this share of the one without it."""


@jit_apart
def clear_state(history: NDArray[np.float64], at: int, rule: Any, index: int) -> None:
    """Nothing known yet; `index` is the first window."""
    for place in range(at, at + HEAD_FLOATS):
        history[place] = 0.0
    for place in range(at + HEAD_FLOATS, at + rule.width // 2):
        history[place] = np.nan
    history[at + SEEN] = 0.0
    history[at + FIRST] = index
    history[at + LEARNED] = history[at + SINCE] = index - 1
    history[at + SPREAD] = 1.0
    history[at + STRETCH] = np.nan


@jit
def base_of(history: NDArray[np.float64], at: int) -> int:
    """The baseline that is in use."""
    return at + (SEASONED if history[at + SEASONAL] == 1.0 else PLAIN)


@jit_apart
def season_of(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """What the season adds to the level in window `index`."""
    if history[at + SEASONAL] != 1.0:
        return 0.0
    added = history[season_at(at, rule) + slot_of(rule, index)]
    return 0.0 if np.isnan(added) else added


@jit_apart
def usual_of(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    """What is usual of window `index`."""
    return history[base_of(history, at) + LEVEL] + season_of(history, at, rule, index)


@jit_apart
def begin_baselines(history: NDArray[np.float64], at: int, rule: Any, work: NDArray[np.float64]) -> None:
    """Begin with the first full ring, whose windows stand in order."""
    for place in range(rule.ring):
        work[place] = history[ring_at(at) + 2 * place + 1]
    begin(history, at + PLAIN, work, 0, rule.ring)
    for place in range(BASELINE_FLOATS):
        history[at + SEASONED + place] = 0.0
    history[at + SEASONED + LEVEL] = history[at + PLAIN + LEVEL]


@jit_apart
def learn_window(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> None:
    """Take over a window that has left the ring. Those of the first ring are in the level already."""
    if history[at + SEEN] >= 2 * rule.ring:
        learn(history, at + PLAIN, value, index - history[at + LEARNED] == 1)
    if rule.slots > 1:
        _learn_season(history, at, rule, index, value)
        _weigh_season(history, at, rule, index)
    history[at + LEARNED] = index


@jit_apart
def _learn_season(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> None:
    """A slot moves by the share of one season in those seen, spread over the windows that fall into it."""
    place = season_at(at, rule) + slot_of(rule, index)
    base = at + SEASONED
    if np.isnan(history[place]):
        history[place] = value - history[base + LEVEL]
        return
    season = _seasons(history, at, rule, index)
    gain = 1.0 / min(season + 1.0, SEASONS_REMEMBERED) / max(1.0, rule.season / rule.slots)
    deviation = value - history[place] - history[base + LEVEL]
    if season >= 1.0:
        scatter = scatter_of(history, base)
        learn(history, base, value - history[place], index - history[at + LEARNED] == 1)
        if history[base + LEARNT] > rule.season // 2:
            deviation = clipped(deviation, 3.0 * scatter)
    history[place] += gain * deviation


@jit_apart
def _seasons(history: NDArray[np.float64], at: int, rule: Any, index: int) -> float:
    return np.floor((index - history[at + FIRST]) / rule.season)


@jit_apart
def _weigh_season(history: NDArray[np.float64], at: int, rule: Any, index: int) -> None:
    """Once a season, from the third on: is what it leaves unexplained less than what the level alone does?"""
    season = _seasons(history, at, rule, index)
    if (
        history[at + SEASONED + LEARNT] < rule.ring
        or season < SEASONS_LEAST
        or season == _seasons(history, at, rule, history[at + LEARNED])
    ):
        return
    was = history[at + SEASONAL]
    share = STILL_EXPLAINS if was == 1.0 else EXPLAINS
    explains = history[at + SEASONED + DISTANCE] < share * history[at + PLAIN + DISTANCE]
    history[at + SEASONAL] = 1.0 if explains else 0.0
    if was != history[at + SEASONAL]:
        forget_stretches(history, at, rule)


@jit_apart
def forget_stretches(history: NDArray[np.float64], at: int, rule: Any) -> None:
    """Stretches that were summed with another season do not compare."""
    first = ring_at(at) + 2 * rule.ring
    for place in range(first, first + rule.stretches):
        history[place] = np.nan
    history[at + STRETCH] = np.nan


@jit_apart
def move_level(history: NDArray[np.float64], at: int, rule: Any, shift: float) -> None:
    """The present level is the usual one from now on; it is learned as fast as a new one."""
    for base in (at + PLAIN, at + SEASONED):
        history[base + LEVEL] += shift
        history[base + LEARNT] = min(history[base + LEARNT], rule.ring)


@jit_apart
def knows_enough(history: NDArray[np.float64], at: int, rule: Any) -> bool:
    """Whether it may judge: as many windows as the rule says, else two seasons, have been learned."""
    if rule.learn > 0:
        return history[at + SEEN] >= rule.learn
    return rule.slots == 1 or history[at + LEARNED] - history[at + FIRST] >= SEASONS_LEAST * rule.season


@jit
def innovation(history: NDArray[np.float64], at: int, deviation: float, before: float) -> float:
    """What is new in a deviation, given the one before; NaN: there is none."""
    if np.isnan(before):
        return deviation
    return deviation - memory_of(history, base_of(history, at)) * before
