"""What a control chart leaves for the evidence: its facts, and the points that anybody can take the statistic from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart
from engine.kernels.control_chart import statistic_at
from engine.kernels.control_layout import (
    CENTRE,
    DOWN_SINCE,
    HITS,
    JUDGED,
    LEARNED,
    SHEWHART,
    SIDE,
    SIGMA,
    UP_SINCE,
    kept,
    place_of,
)
from engine.kernels.layout import EVIDENCE
from engine.kernels.run_rules import span_of

if TYPE_CHECKING:
    from engine.kernels.layout import Tables


@jit_apart
def cite_chart(tables: Tables, at: int, rule: Any, result: Any) -> None:
    """Write the facts, then index and value, and the statistic, of each point, oldest first: two rows of evidence.

    Points are those of the run, or where no run rule holds as many as any that is asked for takes; of the other
    charts, all that are kept.
    """
    history = tables.history
    side = history[at + SIDE]
    _cite(tables, result, 0, rule.chart)
    for name in (HITS, SIDE, CENTRE, SIGMA, LEARNED, JUDGED):
        _cite(tables, result, 0, history[at + name])
    _cite(tables, result, 0, history[at + (DOWN_SINCE if side < 0.0 else UP_SINCE)])
    count = kept(history, at)
    if rule.chart == SHEWHART:
        hits = int(history[at + HITS])
        count = min(count, span_of(hits if hits != 0 else rule.shapes))
    statistic = statistic_at(rule, side)
    for number in range(count - 1, -1, -1):
        place = place_of(history, at, number)
        _cite(tables, result, int(history[place]), history[place + 1])
        _cite(tables, result, 0, history[place + statistic])


@jit
def _cite(tables: Tables, result: Any, index: int, value: float) -> None:
    used = tables.counters[EVIDENCE]
    tables.evidence_index[used] = index
    tables.evidence_value[used] = value
    tables.counters[EVIDENCE] = used + 1
    result.evidences += 1
