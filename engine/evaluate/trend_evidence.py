"""The rows of evidence of a trend break as what anybody can recompute it from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels.trend_layout import BROKEN, FACTS, LEVEL_SHAPE, RETURNED
from engine.kernels.trend_level import SLACK
from engine.kernels.windows import start_of
from engine.model.finding import TrendBreak, TrendPoint
from engine.model.time import DAY, format_time

if TYPE_CHECKING:
    from engine.kernels.layout import Tables
    from engine.state.partition import PartitionState

_STATES = {BROKEN: "broken", RETURNED: "returned"}


def trend_of(state: PartitionState, tables: Tables, row: Any, result: Any) -> TrendBreak | None:
    """The break that a TRANSITION row of a trend_break rule tells of; null where it was forgotten meanwhile. `row` is
    the rule's.
    """
    first, count = int(result["evidence"]), int(result["evidences"])
    if count < FACTS:
        return None
    facts = [float(value) for value in tables.evidence_value[first : first + FACTS]]
    shape, sign, phase, onset, alarm, before, size, sigma, memory, widening, clip = facts
    level = shape == LEVEL_SHAPE
    view_row = int(row["view"])
    view = state.plan.views[view_row]
    scale = 1.0 if level else DAY / float(view["step"])
    return TrendBreak(
        shape="level" if level else "slope",
        direction="up" if sign > 0 else "down",
        state=_STATES.get(phase, "usual"),  # type: ignore[arg-type]
        onset=state.starts.told(view_row, int(onset)),
        alarm=format_time(int(start_of(view, state.tables.calendars, int(alarm) + 1))),
        before=before * scale,
        after=(before + size) * scale,
        size=size * scale,
        sigma=sigma,
        memory=memory,
        widening=widening,
        clip=clip,
        slack=SLACK if level else 0.0,
        points=tuple(_points(state, tables, view_row, first + FACTS, first + count)),
    )


def _points(state: PartitionState, tables: Tables, view: int, first: int, end: int) -> list[TrendPoint]:
    return [
        TrendPoint(
            start=state.starts.told(view, int(tables.evidence_index[place])),
            value=float(tables.evidence_value[place]),
            usual=float(tables.evidence_value[place + 1]),
        )
        for place in range(first, end, 2)
    ]
