"""What an anomaly leaves for the evidence: its facts, and the windows that anybody can take the score from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart
from engine.kernels.anomaly_layout import (
    BEGAN,
    ENDED,
    EXCESS,
    INDEX,
    LOWER,
    PHASE,
    RUN,
    SEASONAL,
    SEEN,
    SETTLED,
    UNUSUAL,
    UPPER,
    USUAL,
    VALUE,
    run_at,
)
from engine.kernels.layout import EVIDENCE

if TYPE_CHECKING:
    from engine.kernels.layout import Tables


@jit_apart
def cite_band(tables: Tables, at: int, result: Any) -> None:
    """Write the facts, then for each window of the run, oldest first, what it was held against: five rows a window.

    Of an incident that has ended, all windows of the run.
    """
    history = tables.history
    for name in (PHASE, BEGAN, SETTLED, SEASONAL):
        _cite(tables, result, 0, history[at + name])
    seen = int(history[at + SEEN])
    for number in range(max(0, seen - RUN), seen):
        place = run_at(at, number)
        if history[at + PHASE] != UNUSUAL or history[place + INDEX] > history[at + ENDED]:
            for name in (VALUE, USUAL, LOWER, UPPER, EXCESS):
                _cite(tables, result, int(history[place + INDEX]), history[place + name])


@jit
def _cite(tables: Tables, result: Any, index: int, value: float) -> None:
    used = tables.counters[EVIDENCE]
    tables.evidence_index[used] = index
    tables.evidence_value[used] = value
    tables.counters[EVIDENCE] = used + 1
    result.evidences += 1
