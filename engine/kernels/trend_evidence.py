"""What a trend break leaves for the evidence: its facts, and the points that anybody can take the statistic from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart
from engine.kernels.baseline import memory_of, sigma_of
from engine.kernels.layout import EVIDENCE
from engine.kernels.trend_baseline import base_of, usual_of
from engine.kernels.trend_layout import (
    ALARM,
    BEFORE,
    BROKEN,
    LEVEL_SHAPE,
    ONSET,
    PHASE,
    SHAPE,
    SIGN,
    SINCE,
    SIZE,
    SLOPE_SHAPE,
    STRETCHES,
    USUAL_SLOPE,
)
from engine.kernels.trend_level import clip_of, place_of, widening_of
from engine.kernels.trend_slope import slope_statistic, usual_line

if TYPE_CHECKING:
    from engine.kernels.layout import Tables


@jit_apart
def cite_break(tables: Tables, at: int, rule: Any, result: Any, usual: float) -> None:
    """Write the facts, then index, value and what was usual of each point: two rows of evidence a point."""
    history = tables.history
    base = base_of(history, at)
    for name in (SHAPE, SIGN, PHASE, ONSET, ALARM, BEFORE, SIZE):
        _cite(tables, result, 0, history[at + name])
    _cite(tables, result, 0, sigma_of(history, base, usual))
    _cite(tables, result, 0, memory_of(history, base))
    if history[at + SHAPE] == LEVEL_SHAPE:
        _cite(tables, result, 0, widening_of(history, at))
        _cite(tables, result, 0, clip_of(history, at))
        _cite_windows(tables, at, rule, result)
    elif history[at + SHAPE] == SLOPE_SHAPE:
        _, widening = slope_statistic(history, at, rule, tables.scratch)
        _cite(tables, result, 0, widening)
        _cite(tables, result, 0, 0.0)
        _cite_stretches(tables, at, rule, result)


@jit
def _cite(tables: Tables, result: Any, index: int, value: float) -> None:
    used = tables.counters[EVIDENCE]
    tables.evidence_index[used] = index
    tables.evidence_value[used] = value
    tables.counters[EVIDENCE] = used + 1
    result.evidences += 1


@jit_apart
def _cite_windows(tables: Tables, at: int, rule: Any, result: Any) -> None:
    """The windows under test, oldest first; of an ended break also those that are not under test any more."""
    history = tables.history
    for number in range(rule.ring):
        place = place_of(history, at, rule, number)
        if history[at + PHASE] != BROKEN or history[place] > history[at + SINCE]:
            index = int(history[place])
            _cite(tables, result, index, history[place + 1])
            _cite(tables, result, index, usual_of(history, at, rule, index))


@jit_apart
def _cite_stretches(tables: Tables, at: int, rule: Any, result: Any) -> None:
    """The recent stretches as they were, against the line of the former slope."""
    work = tables.scratch
    slope = tables.history[at + USUAL_SLOPE]
    count, height = usual_line(tables.history, at, rule, work)
    for place in range(count):
        index, rise = int(work[place]) * rule.stretch, slope * (work[place] - work[0])
        _cite(tables, result, index, work[STRETCHES + place] + rise)
        _cite(tables, result, index, height + rise)
