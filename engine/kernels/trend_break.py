"""trend_break: has the level or the slope of a series broken for good? One window at a time.

The state goes from watching to broken when a test passes its limit. From there it ends `returned`, when the series is
back at its former level or slope, or `usual`, when the break has lasted; then what is there is the new baseline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.learned import held_within
from engine.kernels.trend_baseline import begin_baselines, clear_state, knows_enough, learn_window, move_level, usual_of
from engine.kernels.trend_layout import (
    ALARM,
    BEFORE,
    BROKEN,
    LEVEL_SHAPE,
    LIMIT,
    ONSET,
    PHASE,
    RECENT,
    RETURNED,
    SEEN,
    SHAPE,
    SIGN,
    SINCE,
    SIZE,
    SLOPE_SHAPE,
    STATISTIC,
    USUAL,
    USUAL_SLOPE,
    ring_at,
)
from engine.kernels.trend_level import back_again, find_shift, level_limit, level_sum, note_spread, shift_since
from engine.kernels.trend_slope import (
    add_to_stretch,
    join_stretches,
    keep_recent,
    learn_slope,
    leave_out,
    measure_slope,
    slope_statistic,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


@jit_apart
def trend_break(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> tuple[bool, bool, float, float, float, float]:
    """(known, breach, statistic, limit, baseline, excess) of a window; the state stands in `history` from `at` on."""
    stay_apart()
    if np.isnan(history[at + SEEN]):
        clear_state(history, at, rule, index)
    value = held_within(value)
    _take(history, at, rule, index, value, work)
    if history[at + SEEN] <= rule.ring:
        return False, False, np.nan, np.nan, np.nan, 0.0
    ended = rule.stretches > 0 and add_to_stretch(history, at, rule, index, value)
    if ended and history[at + PHASE] != BROKEN:
        learn_slope(history, at, rule, work)
    note_spread(history, at, rule)
    if not knows_enough(history, at, rule):
        return False, False, np.nan, np.nan, np.nan, 0.0
    usual = usual_of(history, at, rule, index)
    if history[at + PHASE] == BROKEN:
        _follow(history, at, rule, index, ended, work)
    else:
        _watch(history, at, rule, index, ended, work)
    excess = history[at + SIGN] * (value - usual)
    return True, history[at + PHASE] == BROKEN, history[at + STATISTIC], history[at + LIMIT], usual, excess


@jit_apart
def _take(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> None:
    """Put the window into the ring; the one that it displaces is learned, unless it belongs to a break."""
    seen = int(history[at + SEEN])
    place = ring_at(at) + 2 * (seen % rule.ring)
    if seen == rule.ring:
        begin_baselines(history, at, rule, work)
    if seen >= rule.ring and history[at + PHASE] != BROKEN:
        earlier = history[place]
        passing = history[at + PHASE] == RETURNED and history[at + ONSET] <= earlier <= history[at + SINCE]
        if not passing:
            learn_window(history, at, rule, int(earlier), history[place + 1])
    history[place] = index
    history[place + 1] = value
    history[at + SEEN] = seen + 1


@jit_apart
def _watch(
    history: NDArray[np.float64],
    at: int,
    rule: Any,
    index: int,
    ended: bool,  # noqa: FBT001 (compiled code takes arguments by position)
    work: NDArray[np.float64],
) -> None:
    history[at + STATISTIC], history[at + LIMIT] = 0.0, level_limit(history, at, rule)
    for sign in (1.0, -1.0):
        if rule.shapes & LEVEL_SHAPE and sign * rule.direction >= 0:
            total = find_shift(history, at, rule, sign, work)
            history[at + STATISTIC] = max(history[at + STATISTIC], total)
            if total > history[at + LIMIT] and _matters(history, at, rule, sign * history[at + SIZE]):
                history[at + STATISTIC] = total
                _alarm(history, at, index, LEVEL_SHAPE, sign)
                return
    if ended and rule.shapes & SLOPE_SHAPE:
        rising, _ = slope_statistic(history, at, rule, work)
        sign = 1.0 if rising > 0.0 else -1.0
        if abs(rising) > rule.slope_limit and sign * rule.direction >= 0:
            measure_slope(history, at, rule, work)
            if _matters(history, at, rule, sign * history[at + SIZE] * rule.stretch * RECENT):
                history[at + STATISTIC], history[at + LIMIT] = abs(rising), rule.slope_limit
                _alarm(history, at, index, SLOPE_SHAPE, sign)


@jit
def _matters(history: NDArray[np.float64], at: int, rule: Any, size: float) -> bool:
    """Whether a break is of the least size that is asked for: of a slope, what it comes to over the recent ones."""
    if size <= 0.0:
        return False
    return size >= (rule.up * abs(history[at + BEFORE]) if rule.relative else rule.up)


@jit
def _alarm(history: NDArray[np.float64], at: int, index: int, shape: int, sign: float) -> None:
    history[at + PHASE] = BROKEN
    history[at + SHAPE] = shape
    history[at + SIGN] = sign
    history[at + ALARM] = index


@jit_apart
def _follow(
    history: NDArray[np.float64],
    at: int,
    rule: Any,
    index: int,
    ended: bool,  # noqa: FBT001 (compiled code takes arguments by position)
    work: NDArray[np.float64],
) -> None:
    """What has become of the break: the series is back, or the break has lasted."""
    passed = index - history[at + ALARM]
    if history[at + SHAPE] == SLOPE_SHAPE:
        if ended:
            _follow_slope(history, at, rule, index, passed, work)
        return
    history[at + STATISTIC], _ = level_sum(history, at, rule, history[at + SIGN])
    history[at + LIMIT] = level_limit(history, at, rule)
    if back_again(history, at, rule, history[at + ALARM]):
        leave_out(history, at, rule, index)
        _settle(history, at, index, RETURNED)
    elif passed >= rule.lasting:
        _, shift = shift_since(history, at, rule, history[at + ONSET], work)
        history[at + SIZE] = shift
        join_stretches(history, at, rule, shift)
        move_level(history, at, rule, shift)
        _settle(history, at, index, USUAL)


@jit_apart
def _follow_slope(
    history: NDArray[np.float64], at: int, rule: Any, index: int, passed: float, work: NDArray[np.float64]
) -> None:
    rising, _ = slope_statistic(history, at, rule, work)
    history[at + STATISTIC], history[at + LIMIT] = max(0.0, history[at + SIGN] * rising), rule.slope_limit
    lasted = passed >= max(rule.lasting, RECENT * rule.stretch)
    if not lasted and history[at + SIGN] * rising > rule.slope_limit / 2.0:
        return
    _, shift = shift_since(history, at, rule, history[at + ONSET], work)
    move_level(history, at, rule, shift)
    keep_recent(history, at, rule)
    if lasted:
        history[at + USUAL_SLOPE] += history[at + SIZE] * rule.stretch
    _settle(history, at, index, USUAL if lasted else RETURNED)


@jit
def _settle(history: NDArray[np.float64], at: int, index: int, phase: float) -> None:
    """Watch again, from the next window on."""
    history[at + PHASE] = phase
    history[at + SINCE] = index
