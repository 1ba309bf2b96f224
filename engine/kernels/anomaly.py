"""anomaly: is a series outside the band that is usual of it? One window at a time, each judged before it is learned.

The surprise of a window beyond its band is -log10 of how rare such a window is, after the tail that was learned from
the series: 2 at the edge of the band, 3 for one in a thousand. A score sums the surprises of the last windows: an
incident begins when it passes its limit, and ends when windows have been back in the band for a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.anomaly_band import (
    SEASONS_LEAST,
    TAIL,
    begin_band,
    clear_state,
    collect,
    learn_window,
    move_level,
    unit_of,
    usual_of,
)
from engine.kernels.anomaly_layout import (
    BEGAN,
    BEYOND,
    CALM,
    ENDED,
    EXCESS,
    FIRST,
    INDEX,
    LOWER,
    LOWER_EDGE,
    LOWER_EXCESS,
    PHASE,
    RECENT,
    RUN,
    SEEN,
    SETTLED,
    SINCE,
    STARTED,
    UNUSUAL,
    UPPER,
    UPPER_EDGE,
    UPPER_EXCESS,
    USUAL,
    VALUE,
    recent_at,
    run_at,
)
from engine.kernels.learned import held_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

LN_10 = 2.302585092994046


@jit_apart
def anomaly(
    history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, work: NDArray[np.float64]
) -> tuple[bool, bool, float, float, float, float]:
    """(known, breach, statistic, limit, baseline, excess) of a window; the state stands in `history` from `at` on."""
    stay_apart()
    if np.isnan(history[at + SEEN]):
        clear_state(history, at, rule, index)
    value = held_within(value)
    if history[at + STARTED] != 1.0:
        if collect(history, at, rule, index, value):
            history[at + SEEN] += 1.0
            return False, False, np.nan, np.nan, np.nan, 0.0
        begin_band(history, at, rule, index, work)
    seen = int(history[at + SEEN])
    place = run_at(at, seen)
    _hold_against(history, at, rule, index, value, place)
    usual, known = history[place + USUAL], knows_enough(history, at, rule, index)
    history[recent_at(at) + seen % RECENT] = value - usual
    if not known:
        history[at + ENDED] = index
    own = surprise_at(history, place, rule)
    score = score_of(history, at, rule, seen)
    _follow(history, at, rule, index, own > 0.0, own > 0.0 and score > rule.level_limit, work)
    learn_window(history, at, rule, index, value)
    history[at + SEEN] = seen + 1
    excess = outside(history, place, rule)
    return known, history[at + PHASE] == UNUSUAL, score, rule.level_limit, usual, excess


@jit_apart
def knows_enough(history: NDArray[np.float64], at: int, rule: Any, index: int) -> bool:
    """Whether it may judge: as many windows as the rule says, else two seasons, have been learned."""
    if rule.learn > 0:
        return history[at + SEEN] >= rule.learn
    return rule.slots == 1 or index - history[at + FIRST] >= SEASONS_LEAST * rule.season


@jit_apart
def _hold_against(history: NDArray[np.float64], at: int, rule: Any, index: int, value: float, place: int) -> None:
    """Put the window into the run, with the band as it is before anything is learned of it."""
    usual, unit = usual_of(history, at, rule, index), unit_of(history, at, rule, index)
    history[place + INDEX] = index
    history[place + VALUE] = value
    history[place + USUAL] = usual
    history[place + LOWER] = usual - history[at + LOWER_EDGE] * unit
    history[place + UPPER] = usual + history[at + UPPER_EDGE] * unit
    history[place + EXCESS] = (history[at + UPPER_EXCESS] if value > usual else history[at + LOWER_EXCESS]) * unit


@jit
def outside(history: NDArray[np.float64], place: int, rule: Any) -> float:
    """How far outside its band a window of the run is, on the side that the rule looks at; below 0: within."""
    above, below = history[place + VALUE] - history[place + UPPER], history[place + LOWER] - history[place + VALUE]
    if rule.direction == 0:
        return max(above, below)
    return above if rule.direction > 0 else below


@jit
def surprise_at(history: NDArray[np.float64], place: int, rule: Any) -> float:
    """The surprise of a window of the run; 0 for one within its band, on the other side, or too small to matter."""
    value, usual = history[place + VALUE], history[place + USUAL]
    beyond = value - history[place + UPPER]
    if value < usual:
        beyond = history[place + LOWER] - value
    least = rule.up * abs(usual) if rule.relative else rule.up
    if beyond <= 0.0 or abs(value - usual) < least or (value - usual) * rule.direction < 0.0:
        return 0.0
    return surprise(beyond, history[place + EXCESS])


@jit
def surprise(beyond: float, excess: float) -> float:
    """-log10 of the share of windows that lie so far beyond the edge, or further, with an exponential tail."""
    return -np.log10(TAIL) + beyond / excess / LN_10


@jit_apart
def score_of(history: NDArray[np.float64], at: int, rule: Any, number: int) -> float:
    """The sum of the surprises of the run that ends with window `number`."""
    total = 0.0
    for earlier in range(max(0, number - RUN + 1), number + 1):
        place = run_at(at, earlier)
        if history[place + INDEX] > history[at + ENDED]:  # not of NaN: not seen
            total += surprise_at(history, place, rule)
    return total


@jit_apart
def _follow(
    history: NDArray[np.float64],
    at: int,
    rule: Any,
    index: int,
    beyond: bool,  # noqa: FBT001 (compiled code takes arguments by position)
    raised: bool,  # noqa: FBT001
    work: NDArray[np.float64],
) -> None:
    """Begin an incident, end it, or after a while take what it shows for the usual."""
    if history[at + PHASE] == CALM:
        if raised:
            history[at + PHASE] = UNUSUAL
            history[at + BEGAN] = history[at + SINCE] = history[at + BEYOND] = index
            history[at + SETTLED] = 0.0
        return
    if beyond:
        history[at + BEYOND] = index
        if index - history[at + SINCE] >= rule.lasting:
            move_level(history, at, work)
            history[at + SINCE] = index
            history[at + SETTLED] += 1.0
    elif index - history[at + BEYOND] >= rule.calm:
        history[at + PHASE] = CALM
        history[at + ENDED] = index
