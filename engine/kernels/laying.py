"""The rows of new series: what a series is before its first measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit
from engine.kernels.layout import DISABLED, INACTIVE, MISSING, UNSET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.kernels.layout import Tables


@jit
def lay_out(
    tables: Tables,
    kpis: NDArray[np.int32],
    row: int,
    slot: int,
    cell: int,
    sketch: int,
    instance: int,
    history: int,
) -> None:
    """Write series of these KPIs from `row` on, and what belongs to them from the given rows of their tables on.

    The tables are zero there. Rules that look for silence do not concern a series before it is declared.
    """
    for kpi in kpis:
        series = tables.series[row]
        series.kpi = kpi
        series.slot = slot
        series.newest = series.waiting = series.bound = series.mark = UNSET
        first_view = tables.kpis[kpi]["view"]
        for view_row in range(first_view, first_view + tables.kpis[kpi].views):
            view = tables.views[view_row]
            _lay_slot(tables.slots[slot], row, view_row, cell, instance)
            for place in range(cell, cell + view.cells):
                tables.cells[place].index = UNSET
                tables.cells[place].sketch = sketch
                if view.sketches > 0:
                    sketch += 1
            for rule_row in range(view.rule, view.rule + view.rules):
                rule = tables.rules[rule_row]
                _lay_instance(tables.instances[instance], rule, rule_row, slot, history)
                if rule.width > 0:
                    tables.history[history : history + rule.width] = np.nan
                    history += rule.width
                instance += 1
            cell += view.cells
            slot += 1
        row += 1


@jit
def _lay_slot(slot: Any, row: int, view_row: int, cell: int, instance: int) -> None:
    slot.series = row
    slot.view_row = view_row
    slot.cell = cell
    slot.instance = instance
    slot.final = slot.closed = slot.newest = UNSET


@jit
def _lay_instance(instance: Any, rule: Any, rule_row: int, slot: int, history: int) -> None:
    instance.rule = rule_row
    instance.slot = slot
    instance.phase = DISABLED if rule.kind == MISSING else INACTIVE
    instance.history = history
    instance.fired_at = instance.resolved_at = instance.pushed = UNSET
