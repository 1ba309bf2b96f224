"""Whole windows out of their cells, and what some aggregations keep beside the parts that all have.

Source of the sum of squares: Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance (1983), the updating
and the merging formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.layout import DEVIATION, QUANTILE, RATE
from engine.kernels.sketches import distinct_in, empty, insert_hash, insert_value, join, quantile_in
from engine.kernels.windows import clear, first_of, merge, start_of

if TYPE_CHECKING:
    from engine.kernels.layout import Tables

_SECOND = 1_000_000


@jit
def add_more(tables: Tables, view: Any, cell: Any, value: float) -> None:
    """Count what the aggregation needs beside the parts, before these are counted."""
    if view.aggregation >= DEVIATION:
        _add_more(tables, view, cell, value)


@jit_apart
def _add_more(tables: Tables, view: Any, cell: Any, value: float) -> None:
    stay_apart()
    if view.aggregation == DEVIATION:
        if cell.count > 0:
            before, after = cell.sum / cell.count, (cell.sum + value) / (cell.count + 1)
            cell.extra += (value - before) * (value - after)
        return
    sketch = tables.sketches[cell.sketch]
    if cell.count == 0:
        empty(sketch)
    if view.aggregation == QUANTILE:
        insert_value(sketch, value)
    else:
        insert_hash(sketch, value)


@jit
def gather(tables: Tables, slot: Any, view: Any, index: int, window: Any) -> None:
    """Merge the cells of window `index` (it ends with cell `index`) into `window`; its sketch is the last result's."""
    clear(window, index)
    first = first_of(view, tables.periods, index)
    for cell_index in range(first, index + 1):
        cell = tables.cells[slot.cell + cell_index % view.cells]
        if cell.index == cell_index and cell.count > 0:
            if view.aggregation >= RATE:
                _gather_more(tables, view, window, cell)
            merge(window, cell)
    if view.aggregation >= RATE and window.count > 0:
        _conclude(tables, view, first, window)


@jit_apart
def _gather_more(tables: Tables, view: Any, window: Any, cell: Any) -> None:
    """Before the parts of `cell` are merged."""
    stay_apart()
    if view.aggregation == DEVIATION:
        window.extra += cell.extra
        if window.count > 0:
            apart = cell.sum / cell.count - window.sum / window.count
            window.extra += apart * apart * (window.count * cell.count / (window.count + cell.count))
    elif view.sketches > 0:
        whole = tables.result_sketches[len(tables.result_sketches) - 1]
        if window.count == 0:
            empty(whole)
        join(whole, tables.sketches[cell.sketch], view.aggregation)


@jit_apart
def _conclude(tables: Tables, view: Any, first: int, window: Any) -> None:
    """The value of a window whose cells are all merged."""
    stay_apart()
    whole = tables.result_sketches[len(tables.result_sketches) - 1]
    if view.aggregation == RATE:
        begin = start_of(view, tables.calendars, first)
        end = start_of(view, tables.calendars, window.index + 1)
        window.extra = window.sum / ((end - begin) / _SECOND)
    elif view.aggregation == QUANTILE:
        window.extra = quantile_in(whole, view.quantile, window)
    elif view.aggregation != DEVIATION:
        window.extra = distinct_in(whole)
