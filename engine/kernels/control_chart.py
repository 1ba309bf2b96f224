"""control_chart: a Shewhart chart with run rules, an EWMA chart or a tabular CUSUM, one window at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.control_layout import (
    CENTRE,
    CUSUM,
    DOWN,
    DOWN_SINCE,
    EWMA,
    HALF_FLOATS,
    HITS,
    JUDGED,
    LEARNED,
    SHEWHART,
    SIDE,
    SIGMA,
    UP,
    UP_SINCE,
    kept,
    place_of,
)
from engine.kernels.control_limits import begin_limits, ewma_width, learn_limits, score_of
from engine.kernels.cusum import cusum
from engine.kernels.ewma import ewma
from engine.kernels.learned import held_within
from engine.kernels.run_rules import run_rules, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUM_MOST = 2.0
"""A sum is held within so many times its limit: ours, so that after a long shift it does not take as long again until
the sum has come down.
"""


@jit_apart
def control_chart(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> tuple[bool, bool, float, float, float, float]:
    """(known, breach, statistic, limit, centre, excess) of a window; the state stands in `history` from `at` on."""
    stay_apart()
    return _chart(history[at : at + HALF_FLOATS], 0, rule, index, value, work)


@jit
def _chart(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> tuple[bool, bool, float, float, float, float]:
    """The same, of a state that stands by itself: where each number stands is known when this is compiled."""
    if np.isnan(history[at + LEARNED]):
        begin_limits(history, at, rule)
    value = held_within(value)
    if np.isnan(history[at + SIGMA]):
        learn_limits(history, at, rule, value)
        return False, False, np.nan, np.nan, np.nan, 0.0
    if history[at + JUDGED] == 0.0:
        history[at + UP] = history[at + CENTRE] if rule.chart == EWMA else rule.head_start
        history[at + DOWN] = rule.head_start
    history[at + JUDGED] += 1.0
    if rule.chart == SHEWHART:
        breach, statistic, limit = _shewhart(history, at, rule, index, value, work)
    elif rule.chart == EWMA:
        breach, statistic, limit = _ewma(history, at, rule, index, value)
    else:
        breach, statistic, limit = _cusum(history, at, rule, index, value)
    centre, side = history[at + CENTRE], history[at + SIDE]
    excess = abs(value - centre) if side == 0.0 else side * (value - centre)
    return True, breach, statistic, limit, centre, excess


@jit
def statistic_at(rule: Any, side: float) -> int:
    """Which of the statistics of a point in the ring a chart looks at."""
    return 3 if rule.chart == CUSUM and side < 0.0 else 2


@jit
def _remember(history: NDArray[np.float64], at: int, index: int, value: float, one: float, other: float) -> None:
    place = place_of(history, at, 0)
    history[place] = index
    history[place + 1] = value
    history[place + 2] = one
    history[place + 3] = other


@jit_apart
def _shewhart(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> tuple[bool, float, float]:
    score = score_of(value, history[at + CENTRE], history[at + SIGMA])
    _remember(history, at, index, value, score, 0.0)
    count = kept(history, at)
    for number in range(count):
        work[number] = history[place_of(history, at, number) + 2]
    hits, side = run_rules(work, count, rule.shapes, rule.direction)
    history[at + HITS] = hits
    history[at + SIDE] = side
    return hits != 0, score, zone_of(hits) * (-1.0 if side < 0.0 else 1.0)


@jit_apart
def _ewma(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> tuple[bool, float, float]:
    centre = history[at + CENTRE]
    mean = ewma(history[at + UP], value, rule.gain)
    history[at + UP] = mean
    _remember(history, at, index, value, mean, 0.0)
    side = 1.0 if mean >= centre else -1.0
    if rule.direction != 0:
        side = float(rule.direction)
    history[at + SIDE] = side
    limit = centre + side * ewma_width(rule, history[at + SIGMA], history[at + JUDGED])
    return side * (mean - limit) > 0.0, mean, limit


@jit
def _cusum(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float) -> tuple[bool, float, float]:
    score = score_of(value, history[at + CENTRE], history[at + SIGMA])
    # Read before they are chosen, so that nothing jumps: half of all sums are zero, and no processor guesses which.
    first, now = history[at + JUDGED] == 1.0, float(index)
    up_since, down_since = history[at + UP_SINCE], history[at + DOWN_SINCE]
    history[at + UP_SINCE] = now if first | (history[at + UP] == 0.0) else up_since
    history[at + DOWN_SINCE] = now if first | (history[at + DOWN] == 0.0) else down_since
    most = SUM_MOST * rule.level_limit
    up = min(cusum(history[at + UP], score, rule.slack), most)
    down = min(cusum(history[at + DOWN], -score, rule.slack), most)
    history[at + UP] = up
    history[at + DOWN] = down
    _remember(history, at, index, value, up, down)
    side = 1.0 if up >= down else -1.0
    if rule.direction != 0:
        side = float(rule.direction)
    history[at + SIDE] = side
    total = up if side > 0.0 else down
    return total > rule.level_limit, total, rule.level_limit
