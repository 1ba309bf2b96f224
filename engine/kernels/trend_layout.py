"""What an instance of a trend_break rule keeps in its floats of history.

Its floats are two halves, either of which may hold the state: `trend_halves` says why. A half is a head of single
numbers, two baselines (plain, and with the season taken off), the ring of windows under test, the ring of stretches
for the slope, and the season. NaN in `SEEN`: nothing is known yet.
"""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit

(
    SEEN,
    FIRST,
    LEARNED,
    SEASONAL,
    PHASE,
    SHAPE,
    SIGN,
    ALARM,
    ONSET,
    SINCE,
    BEFORE,
    SIZE,
    STATISTIC,
    LIMIT,
    SPREAD,
    SPREAD_SUM,
    SPREAD_COUNT,
    SPREADS,
    STRETCH,
    STRETCH_SUM,
    STRETCH_COUNT,
    USUAL_SLOPE,
) = range(22)
"""The head. `SEEN`: windows so far; `FIRST`, `LEARNED`: index of the first, and of the last that the baselines know;
`SINCE`: windows up to there take no part in the next test. `SPREAD`: variance of sums of scores against that of
independent ones, over `SPREADS` stretches; `STRETCH`: number of the stretch being summed."""

LEVEL, SCALE, VARIANCE, COVARIANCE, DEVIATION, LEARNT, DISTANCE = range(7)
"""A baseline: its level; the scale of what is new in each window; variance, covariance with the window before, and
last of the clipped deviations; windows learned; the mean distance from it."""

BASELINE_FLOATS = 7
PLAIN = 22
SEASONED = PLAIN + BASELINE_FLOATS
HEAD_FLOATS = SEASONED + BASELINE_FLOATS

WATCHING, BROKEN, RETURNED, USUAL = 0.0, 1.0, 2.0, 3.0
"""Phases; the last two are watching again, and say how the last break ended."""

LEVEL_SHAPE, SLOPE_SHAPE = 1, 2
"""Bits of a rule's `shapes`."""

RING = 24
"""Windows under test, at most: no baseline knows them yet, so that a shift is held against what was before it."""
STRETCHES, RECENT = 84, 28
"""Stretches kept for the slope (days, where windows are shorter), and how many of them are the recent ones."""

FACTS = 11
"""Evidence before the points: shape, sign, phase, onset, alarm, before, size, sigma, memory, widening, clip."""
EVIDENCE_FLOATS = FACTS + 2 * RECENT
SCRATCH_FLOATS = 2 * STRETCHES + (STRETCHES - RECENT) * (STRETCHES - RECENT - 1) // 2
"""Times and values of all stretches, and the slopes between the earlier ones."""


@jit
def ring_at(at: int) -> int:
    """Where the windows under test stand, index and value in turn, in the half at `at`."""
    return at + HEAD_FLOATS


@jit
def stretches_at(at: int, rule: Any) -> int:
    """Where the means of stretches stand, each at its number modulo `STRETCHES`."""
    return at + HEAD_FLOATS + 2 * rule.ring


@jit
def season_at(at: int, rule: Any) -> int:
    """Where the season stands, a deviation a slot; NaN: not seen."""
    return at + HEAD_FLOATS + 2 * rule.ring + rule.stretches


def floats_of(ring: int, stretches: int, slots: int) -> int:
    """Floats of both halves: a rule's `width`."""
    return 2 * (HEAD_FLOATS + 2 * ring + stretches + (slots if slots > 1 else 0))
