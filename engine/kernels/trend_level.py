"""A lasting shift of the level: a CUSUM over the windows under test.

It is taken anew over the whole ring for each window, with the baseline as it stands: what it says can be recomputed
from those windows alone. The onset is sought after the place where its sum began to rise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit_apart
from engine.kernels.baseline import CLIP, clipped, memory_of, sigma_of
from engine.kernels.cusum import cusum, jump
from engine.kernels.ewma import ewma
from engine.kernels.ordering import median_within
from engine.kernels.trend_baseline import base_of, innovation, usual_of
from engine.kernels.trend_layout import (
    BEFORE,
    BROKEN,
    LEARNT,
    LEVEL_SHAPE,
    ONSET,
    PHASE,
    SEEN,
    SHAPE,
    SIGN,
    SINCE,
    SIZE,
    SPREAD,
    SPREAD_COUNT,
    SPREAD_SUM,
    SPREADS,
    ring_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK = 0.5
"""Half of the shift, in sigma, that is looked for."""
JUMP_MOST = 0.9
"""A single window can bring the sum to this share of its limit, and no further."""
SPREAD_SURE = 1.2
"""By chance alone the measured spread of independent scores reaches this."""
SPREAD_MOST = 9.0
SPREADS_REMEMBERED = 50.0
SPREADS_BEFORE = 8.0
RETURN_LIMIT = 4.0


@jit_apart
def place_of(history: NDArray[np.float64], at: int, rule: Any, number: int) -> int:
    """Where the windows under test stand, from 0, the oldest, on."""
    return ring_at(at) + 2 * ((int(history[at + SEEN]) + number) % rule.ring)


@jit_apart
def level_limit(history: NDArray[np.float64], at: int, rule: Any) -> float:
    """The decision limit: up to twice that of a settled baseline while the baseline is young."""
    return rule.level_limit * (1.0 + rule.ring / history[base_of(history, at) + LEARNT])


@jit_apart
def widening_of(history: NDArray[np.float64], at: int) -> float:
    """By how much sums of scores scatter more than independent ones would, as a factor; 1 at least."""
    return np.sqrt(max(1.0, history[at + SPREAD] / SPREAD_SURE))


@jit_apart
def clip_of(history: NDArray[np.float64], at: int) -> float:
    """How far a score may lie from 0: three times the scatter of deviations, in sigma of what is new."""
    memory = memory_of(history, base_of(history, at))
    return CLIP / np.sqrt(1.0 - memory * memory)


@jit_apart
def score_of(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, before: float) -> float:
    """What is new in a window, in sigma, clipped; `before` is the deviation of the one before, NaN if it is missing."""
    usual = usual_of(history, at, rule, index)
    sigma = sigma_of(history, base_of(history, at), usual)
    return clipped(innovation(history, at, value - usual, before) / sigma, clip_of(history, at))


@jit_apart
def level_sum(history: NDArray[np.float64], at: int, rule: Any, sign: float) -> tuple[float, float]:
    """(sum, index where it began) of the CUSUM in the direction of `sign`, over the windows under test."""
    widening, limit = widening_of(history, at), level_limit(history, at, rule)
    memory = memory_of(history, base_of(history, at))
    total, onset, last, before = 0.0, np.nan, np.nan, np.nan
    for number in range(rule.ring):
        place = place_of(history, at, rule, number)
        index, value = history[place], history[place + 1]
        if index <= history[at + SINCE]:
            continue
        score = score_of(history, at, rule, int(index), value, before if index - last == 1.0 else np.nan)
        score = sign * score / widening
        fresh = jump(score, SLACK, memory, JUMP_MOST * limit)
        grown = cusum(total, score, SLACK)
        if total == 0.0 or fresh > grown:
            onset = index
        total = max(grown, fresh)
        last, before = index, value - usual_of(history, at, rule, int(index))
    return total, onset


@jit_apart
def note_spread(history: NDArray[np.float64], at: int, rule: Any) -> None:
    """Learn from the newest window how much sums of scores scatter (batch means): what memory alone does not explain,
    seasons that nobody knows or wandering levels, widens every later test.
    """
    place = place_of(history, at, rule, rule.ring - 1)
    earlier = place_of(history, at, rule, rule.ring - 2)
    index, before = int(history[place]), np.nan
    if history[place] - history[earlier] == 1.0:
        before = history[earlier + 1] - usual_of(history, at, rule, index - 1)
    shift = history[at + SIZE] if history[at + PHASE] == BROKEN and history[at + SHAPE] == LEVEL_SHAPE else 0.0
    history[at + SPREAD_SUM] += score_of(history, at, rule, index, history[place + 1] - shift, before - shift)
    history[at + SPREAD_COUNT] += 1.0
    if history[at + SPREAD_COUNT] == rule.ring:
        ratio = history[at + SPREAD_SUM] * history[at + SPREAD_SUM] / rule.ring
        history[at + SPREADS] += 1.0
        gain = 1.0 / min(history[at + SPREADS] + SPREADS_BEFORE, SPREADS_REMEMBERED)
        history[at + SPREAD] = ewma(history[at + SPREAD], min(ratio, SPREAD_MOST * history[at + SPREAD]), gain)
        history[at + SPREAD_SUM] = history[at + SPREAD_COUNT] = 0.0


@jit_apart
def shift_since(
    history: NDArray[np.float64], at: int, rule: Any, since: float, work: NDArray[np.float64]
) -> tuple[float, float]:
    """(mean of what was usual, median deviation from it) over the windows under test from `since` on."""
    count, usual = 0, 0.0
    for number in range(rule.ring):
        place = place_of(history, at, rule, number)
        if history[place] >= since:
            expected = usual_of(history, at, rule, int(history[place]))
            usual = ewma(usual, expected, 1.0 / (count + 1))
            work[count] = history[place + 1] - expected
            count += 1
    return usual, median_within(work, 0, count)


@jit_apart
def back_again(history: NDArray[np.float64], at: int, rule: Any, since: float) -> bool:
    """Whether the windows after `since` are nearer to the former level than to the new one: a CUSUM between the two."""
    base, half, total = base_of(history, at), history[at + SIZE] / 2.0, 0.0
    memory = memory_of(history, base)
    for number in range(rule.ring):
        place = place_of(history, at, rule, number)
        if history[place] > since:
            usual = usual_of(history, at, rule, int(history[place]))
            scatter = sigma_of(history, base, usual) / np.sqrt(1.0 - memory * memory)
            nearer = history[at + SIGN] * (half - (history[place + 1] - usual)) / scatter
            total = cusum(total, clipped(nearer, CLIP), 0.0)
    return total > RETURN_LIMIT


@jit_apart
def locate(history: NDArray[np.float64], at: int, rule: Any, sign: float, begun: float) -> float:
    """The index from which on a shift explains the windows up to the newest best (maximum likelihood with the level
    before known), not before `begun`, where the sum began: noise that happened to lead there is left out.
    """
    base, total, best, onset = base_of(history, at), 0.0, 0.0, begun
    memory = memory_of(history, base)
    for count in range(1, rule.ring + 1):
        place = place_of(history, at, rule, rule.ring - count)
        if history[place] < begun or history[place] <= history[at + SINCE]:
            break
        usual = usual_of(history, at, rule, int(history[place]))
        scatter = sigma_of(history, base, usual) / np.sqrt(1.0 - memory * memory)
        total += clipped(sign * (history[place + 1] - usual) / scatter, CLIP)
        explained = total * total / count
        if total > 0.0 and explained > best:
            best, onset = explained, history[place]
    return onset


@jit_apart
def find_shift(history: NDArray[np.float64], at: int, rule: Any, sign: float, work: NDArray[np.float64]) -> float:
    """The sum in the direction of `sign`; past its limit, onset, former level and size are noted."""
    total, begun = level_sum(history, at, rule, sign)
    if total > level_limit(history, at, rule):
        onset = locate(history, at, rule, sign, begun)
        history[at + ONSET] = onset
        history[at + BEFORE], history[at + SIZE] = shift_since(history, at, rule, onset, work)
    return total
