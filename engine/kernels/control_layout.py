"""What an instance of a control_chart rule keeps in its floats of history.

Its floats are two halves, either of which may hold the state: `trend_halves` says why. A half is a head of single
numbers and the ring of the last points that were judged. NaN in `LEARNED`: nothing has come yet.
"""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit

(LEARNED, LAST, RANGES, MEAN, SQUARES, CENTRE, SIGMA, JUDGED, UP, DOWN, UP_SINCE, DOWN_SINCE, HITS, SIDE) = range(14)
"""The head. `LEARNED`: windows of phase I so far; `LAST` of them, the sum of their moving ranges, their mean, and the
sum of the squares about it. `CENTRE`, `SIGMA`: as frozen, NaN before. `JUDGED`: points so far. `UP`, `DOWN`: the sums
of a CUSUM, and the windows that they began in; an EWMA stands in `UP`. `HITS`: run rules that the last point completes,
as bits; `SIDE`: 1 above the centre, -1 below, 0 neither."""

HEAD_FLOATS = 14
RING = 15
"""Points kept: as many as the longest run."""
POINT_FLOATS = 4
"""Index, value, and the statistics that came of it: the score, the EWMA, or the upper and the lower sum."""

SHEWHART, EWMA, CUSUM = 0, 1, 2
"""Charts."""

BY_RANGES, BY_SQUARES = 0, 1
"""How sigma is learned: from the mean moving range, or as the standard deviation."""

FACTS = 8
"""Evidence before the points: chart, hits, side, centre, sigma, learned, judged, onset."""
EVIDENCE_FLOATS = FACTS + 2 * RING
HALF_FLOATS = HEAD_FLOATS + RING * POINT_FLOATS
WIDTH = 2 * HALF_FLOATS
"""Floats of both halves: a rule's `width`."""


@jit
def place_of(history: Any, at: int, number: int) -> int:
    """Where the point stands that is `number` points older than the newest."""
    return at + HEAD_FLOATS + POINT_FLOATS * ((int(history[at + JUDGED]) - 1 - number) % RING)


@jit
def kept(history: Any, at: int) -> int:
    """Points in the ring."""
    return min(int(history[at + JUDGED]), RING)
