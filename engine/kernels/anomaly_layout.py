"""What an instance of an anomaly rule keeps in its floats of history.

Its floats are two halves, either of which may hold the state: `trend_halves` says why. A half is a head of single
numbers, the run of newest windows, the deviations of the last `RECENT` windows (the values, until a band is there),
and the season: how far each slot lies from the level, and how wide its band is. NaN in `SEEN`: nothing is known yet.
"""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit

(
    SEEN,
    FIRST,
    LEARNED,
    STARTED,
    SEASONAL,
    LEVEL,
    DISTANCE,
    PLAIN_LEVEL,
    PLAIN_DISTANCE,
    LEARNT,
    UPPER_EDGE,
    UPPER_EXCESS,
    LOWER_EDGE,
    LOWER_EXCESS,
    PHASE,
    BEGAN,
    SINCE,
    BEYOND,
    ENDED,
    SETTLED,
    MOVE,
    BEFORE,
    APART,
    REPEATS,
) = range(24)
"""The head. `SEEN`: windows so far; `FIRST`, `LEARNED`: index of the first and the last; `LEARNT`: windows that the
gains of level and scale go by. Edges and mean excesses are in scales. `BEGAN`: first window of the incident, `SINCE`:
the same, or when the level moved last; `BEYOND`: last window outside its band; `ENDED`: windows up to there take no
part in the next score; `SETTLED`: how often the level has moved within the incident. Until a band is there: `MOVE`,
`BEFORE`, the mean step between windows, and the window before; `APART`, `REPEATS`, the mean distance of windows from
those before in their slot, and of how many."""

HEAD_FLOATS = 24

CALM, UNUSUAL = 0.0, 1.0
"""Phases."""

RUN = 6
"""Windows that a score is summed over."""
RECENT = 24
"""Windows that it begins with at least, and those that a lasting level is measured over."""

INDEX, VALUE, USUAL, LOWER, UPPER, EXCESS = range(6)
RUN_FLOATS = 6
"""Of each window of the run: its index and value; what was usual of it; the band's edges then; the mean excess beyond
the edge on its side."""

FACTS = 4
"""Evidence before the windows: phase, index of the first window of the incident, how often the level moved, season."""
EVIDENCE_FLOATS = FACTS + (RUN_FLOATS - 1) * RUN
SCRATCH_FLOATS = 336
"""The values of a season's slots, for their median."""


@jit
def run_at(at: int, number: int) -> int:
    """Where the windows of the run stand, each at how many were seen before it, modulo `RUN`."""
    return at + HEAD_FLOATS + RUN_FLOATS * (number % RUN)


@jit
def recent_at(at: int) -> int:
    """Where the last deviations stand, each at how many were seen before it, modulo `RECENT`."""
    return at + HEAD_FLOATS + RUN_FLOATS * RUN


@jit
def season_at(at: int) -> int:
    """Where the season stands, the slots' deviations from the level; NaN: not seen."""
    return at + HEAD_FLOATS + RUN_FLOATS * RUN + RECENT


@jit
def widths_at(at: int, rule: Any) -> int:
    """Where the widths of the slots stand, as shares of the scale."""
    return season_at(at) + rule.slots


def floats_of(slots: int) -> int:
    """Floats of both halves: a rule's `width`."""
    return 2 * (HEAD_FLOATS + RUN_FLOATS * RUN + RECENT + 2 * slots)
