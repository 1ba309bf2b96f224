"""What columns further on will touch, brought into the cache meanwhile.

Series come in any order, and their state is larger than the cache: each table that a measurement touches would be
waited for in turn. Here each step of the way (place of the id; series, then slot, then cell) is begun some
columns before the next one needs it. Nothing is read that is not there, and nothing changes.

Source of the method: Chen, Ailamaki, Gibbons and Mowry, Improving Hash Join Performance through Prefetching (2004),
software-pipelined prefetching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit
from engine.kernels.ids import place_of
from engine.kernels.words import prefetch

if TYPE_CHECKING:
    from engine.kernels.ingest import Inputs
    from engine.kernels.layout import Tables

_FIRST, _SECOND, _THIRD = 36, 24, 12
"""How many columns before it is needed each step is begun."""
_LINE = 64


@jit
def look_ahead(tables: Tables, inputs: Inputs, column: int) -> None:
    """Begin the steps of the columns behind `column` whose turn it is."""
    last = len(inputs.row)
    if column + _FIRST < last:
        _to_series(tables, inputs, column + _FIRST)
    if column + _SECOND < last:
        _to_slot(tables, inputs, column + _SECOND)
    if column + _THIRD < last:
        _to_cell(tables, inputs, column + _THIRD)


@jit
def _to_series(tables: Tables, inputs: Inputs, column: int) -> None:
    row = inputs.row[column]
    prefetch(tables.series, row, 0)
    prefetch(tables.places, place_of(inputs.id_hash[column], row, len(tables.places)), 0)


@jit
def _to_slot(tables: Tables, inputs: Inputs, column: int) -> None:
    slot = tables.series[inputs.row[column]].slot
    prefetch(tables.slots, slot, 0)
    prefetch(tables.slots, slot, _LINE)


@jit
def _to_cell(tables: Tables, inputs: Inputs, column: int) -> None:
    """To the one that the newest measurement of the series went into, as this one mostly will."""
    slot = tables.slots[tables.series[inputs.row[column]].slot]
    cells = tables.views[slot.view_row].cells
    if cells > 0:
        cell = slot.cell + slot.newest % cells
        prefetch(tables.cells, cell, 0)
        prefetch(tables.cells, cell, _LINE)
        prefetch(tables.cells, cell, 2 * _LINE)
