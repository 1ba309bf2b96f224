"""What columns further on will touch, brought into the cache meanwhile.

Series come in any order, and their state is larger than the cache: each table that a measurement touches would be
waited for in turn. Here each step of the way (id and its place; series, then slot, then cell and rules, then what the
rules have learned) is begun some columns before the next one needs it, once for rows of one series that stand
together. Nothing is read that is not there, and nothing changes.

Source of the method: Chen, Ailamaki, Gibbons and Mowry, Improving Hash Join Performance through Prefetching (2004),
software-pipelined prefetching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit
from engine.kernels.ids import place_of
from engine.kernels.layout import TREND
from engine.kernels.trend_halves import half_of
from engine.kernels.words import prefetch

if TYPE_CHECKING:
    from engine.kernels.ingest import Inputs
    from engine.kernels.layout import Tables

_FIRST, _SECOND, _THIRD, _FOURTH = 36, 24, 12, 6
"""How many columns before it is needed each step is begun."""
_LINE = 64


@jit
def look_ahead(tables: Tables, inputs: Inputs, column: int) -> None:
    """Begin the steps of the columns behind `column` whose turn it is."""
    last = len(inputs.row)
    if column + _FIRST < last:
        _to_id(tables, inputs, column + _FIRST)
        if _is_other(inputs, column + _FIRST):
            prefetch(tables.series, inputs.row[column + _FIRST], 0)
    if column + _SECOND < last and _is_other(inputs, column + _SECOND):
        _to_slot(tables, inputs, column + _SECOND)
    if column + _THIRD < last and _is_other(inputs, column + _THIRD):
        _to_cell(tables, inputs, column + _THIRD)
    if column + _FOURTH < last and _is_other(inputs, column + _FOURTH):
        _to_history(tables, inputs, column + _FOURTH)


@jit
def _is_other(inputs: Inputs, column: int) -> bool:
    """Whether the column before is of another series."""
    return inputs.row[column] != inputs.row[column - 1]


@jit
def _to_id(tables: Tables, inputs: Inputs, column: int) -> None:
    prefetch(inputs.ids, inputs.id_start[column], 0)
    prefetch(tables.places, place_of(inputs.id_hash[column], inputs.row[column], len(tables.places)), 0)


@jit
def _to_slot(tables: Tables, inputs: Inputs, column: int) -> None:
    slot = tables.series[inputs.row[column]].slot
    prefetch(tables.slots, slot, 0)
    prefetch(tables.slots, slot, _LINE)


@jit
def _to_cell(tables: Tables, inputs: Inputs, column: int) -> None:
    """To the cell that the newest measurement of the series went into, as this one mostly will, and to the rules."""
    slot = tables.slots[tables.series[inputs.row[column]].slot]
    view = tables.views[slot.view_row]
    for place in range(view.rules):
        prefetch(tables.instances, slot.instance + place, 0)
        prefetch(tables.instances, slot.instance + place, _LINE)
    if view.cells > 0:
        cell = slot.cell + slot.newest % view.cells
        prefetch(tables.cells, cell, 0)
        prefetch(tables.cells, cell, _LINE)
        prefetch(tables.cells, cell, 2 * _LINE)


@jit
def _to_history(tables: Tables, inputs: Inputs, column: int) -> None:
    """To the head of what rules have learned of the series."""
    slot = tables.slots[tables.series[inputs.row[column]].slot]
    view = tables.views[slot.view_row]
    for place in range(view.rules):
        rule = tables.rules[view.rule + place]
        if rule.kind >= TREND:
            half = half_of(tables.instances[slot.instance + place], rule)
            prefetch(tables.history, half, 0)
            prefetch(tables.history, half, _LINE)
