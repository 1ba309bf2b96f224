"""The rows of evidence of an anomaly as what anybody can recompute it from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from engine.kernels.anomaly_layout import FACTS, RUN_FLOATS, UNUSUAL
from engine.kernels.layout import ANOMALY
from engine.model.finding import Anomaly, BandPoint

if TYPE_CHECKING:
    from engine.kernels.layout import Tables
    from engine.state.partition import PartitionState

_ROWS = RUN_FLOATS - 1
"""Rows of evidence a window: the index stands beside each."""


def anomaly_of(state: PartitionState, tables: Tables, row: Any, result: Any) -> Anomaly | UnsetType:
    """The incident that a TRANSITION row of an anomaly rule tells of; nothing for other rules, and where it was
    forgotten meanwhile. `row` is the rule's.
    """
    first, count = int(result["evidence"]), int(result["evidences"])
    if row["kind"] != ANOMALY or count < FACTS:
        return UNSET
    phase, began, settled, seasonal = (float(value) for value in tables.evidence_value[first : first + FACTS])
    view = int(row["view"])
    return Anomaly(
        state="unusual" if phase == UNUSUAL else "usual" if settled > 0.0 else "returned",
        began=state.starts.told(view, int(began)),
        seasonal=seasonal == 1.0,
        points=tuple(
            BandPoint(
                state.starts.told(view, int(tables.evidence_index[place])),
                *(float(value) for value in tables.evidence_value[place : place + _ROWS]),
            )
            for place in range(first + FACTS, first + count, _ROWS)
        ),
    )
