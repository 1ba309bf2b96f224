"""Run rules: patterns of points that chance seldom makes (Western Electric, Statistical Quality Control Handbook, 1956;
Nelson, The Shewhart Control Chart: Tests for Special Causes, Journal of Quality Technology 16, 1984).

A pattern holds at the point that completes it: of two in three beyond two sigma, say, that point is one of the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels._jit import jit, jit_apart

ONE_BEYOND_THREE = 1
TWO_OF_THREE_BEYOND_TWO = 2
FOUR_OF_FIVE_BEYOND_ONE = 4
EIGHT_ON_A_SIDE = 8
NINE_ON_A_SIDE = 16
SIX_IN_ORDER = 32
FOURTEEN_ALTERNATING = 64
FIFTEEN_WITHIN_ONE = 128
EIGHT_BEYOND_ONE = 256
"""Bits of a rule's `shapes`; zones are in sigmas from the centre."""

_ZONED = (
    (ONE_BEYOND_THREE, 3.0, 1, 1),
    (TWO_OF_THREE_BEYOND_TWO, 2.0, 2, 3),
    (FOUR_OF_FIVE_BEYOND_ONE, 1.0, 4, 5),
    (EIGHT_ON_A_SIDE, 0.0, 8, 8),
    (NINE_ON_A_SIDE, 0.0, 9, 9),
)
"""Strictly beyond a zone on one side: so many points of the latest so many."""
_IN_ORDER, _ALTERNATING, _WITHIN, _BEYOND = 6, 14, 15, 8
"""Points of the other patterns."""
_OTHERS = (
    (SIX_IN_ORDER, np.nan, _IN_ORDER),
    (FOURTEEN_ALTERNATING, np.nan, _ALTERNATING),
    (FIFTEEN_WITHIN_ONE, 1.0, _WITHIN),
    (EIGHT_BEYOND_ONE, 1.0, _BEYOND),
)


@jit_apart
def run_rules(scores: Any, count: int, tests: int, direction: int) -> tuple[int, float]:
    """(those of `tests` that the newest point completes, the side of the first of them: 1 above, -1 below, 0 neither).

    `scores`: distances from the centre in sigmas, the newest first, of `count` points. `direction` 1 or -1: only what
    lies or goes that way.
    """
    above = below = neither = 0
    if direction >= 0:
        above = _sided(scores, count, 1.0) & tests
    if direction <= 0:
        below = _sided(scores, count, -1.0) & tests
    if direction == 0:
        neither = _unsided(scores, count) & tests
    hits = above | below | neither
    first = hits & -hits
    side = 1.0 if above & first else 0.0
    return hits, -1.0 if below & first else side


@jit
def zone_of(hits: int) -> float:
    """Sigmas from the centre that the first of the rules looks beyond or within; NaN where it looks at none."""
    first = hits & -hits
    for test, zone, _, _ in _ZONED:
        if first == test:
            return zone
    for test, zone, _ in _OTHERS:
        if first == test:
            return zone
    return np.nan


@jit
def span_of(tests: int) -> int:
    """Points that the longest of these patterns takes."""
    longest = 1
    for test, _, _, span in _ZONED:
        if test & tests:
            longest = max(longest, span)
    for test, _, span in _OTHERS:
        if test & tests:
            longest = max(longest, span)
    return longest


@jit
def _sided(scores: Any, count: int, sign: float) -> int:
    hits = 0
    for test, zone, wanted, latest in _ZONED:
        found = 0
        for place in range(min(count, latest)):
            if sign * scores[place] > zone:
                found += 1
        if found >= wanted and sign * scores[0] > zone:
            hits |= test
    if _goes(scores, count, _IN_ORDER, sign, 1.0):
        hits |= SIX_IN_ORDER
    return hits


@jit
def _goes(scores: Any, count: int, points: int, sign: float, turn: float) -> bool:
    """Whether the latest points go up (down) to the newest; each step before the way of the next, or with `turn` -1
    the other way.
    """
    if count < points:
        return False
    for place in range(points - 1):
        if sign * (scores[place] - scores[place + 1]) <= 0.0:
            return False
        sign *= turn
    return True


@jit
def _unsided(scores: Any, count: int) -> int:
    within = beyond = 0
    for place in range(count):
        if within == place and abs(scores[place]) <= 1.0:
            within += 1
        if beyond == place and abs(scores[place]) > 1.0:
            beyond += 1
    hits = 0
    for sign in (1.0, -1.0):
        if _goes(scores, count, _ALTERNATING, sign, -1.0):
            hits |= FOURTEEN_ALTERNATING
    if within >= _WITHIN:
        hits |= FIFTEEN_WITHIN_ONE
    if beyond >= _BEYOND:
        hits |= EIGHT_BEYOND_ONE
    return hits
