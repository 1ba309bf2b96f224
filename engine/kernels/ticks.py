"""A tick over every series that ages by its clock: idle windows close, silence is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.held import held
from engine.kernels.layout import (
    EVIDENCE,
    FIRED,
    FIRING,
    INACTIVE,
    RESULTS,
    SERIES_A_BLOCK,
    SILENCE,
    UNSET,
    WINDOWS,
)
from engine.kernels.silence import end_alerts, silence
from engine.kernels.slots import close_idle
from engine.kernels.step import emit_transition

if TYPE_CHECKING:
    from engine.kernels.ingest import Bounds
    from engine.kernels.layout import Tables


@jit
def tick(tables: Tables, bounds: Bounds, clock: int, time: int, rows: int, start: int) -> int:
    """Age the series of `clock` among the first `rows`, from row `start` on; returns the row to go on with, `rows`
    when done.
    """
    return _tick(held(tables), bounds, clock, time, rows, start)


@jit_apart
def _tick(tables: Tables, bounds: Bounds, clock: int, time: int, rows: int, start: int) -> int:
    stay_apart()
    for row in range(start, rows):
        series = tables.series[row]
        kpi = tables.kpis[series.kpi]
        if kpi.clock != clock:
            continue
        if tables.counters[RESULTS] + bounds.reserve >= len(tables.results) or tables.counters[
            EVIDENCE
        ] + bounds.evidence_reserve > len(tables.evidence_index):
            return row
        if series.waiting == UNSET:
            series.waiting = time
            tables.dirty[row // SERIES_A_BLOCK] = 1
        for place in range(kpi.views):
            slot_number = series.slot + place
            view = tables.views[tables.slots[slot_number].view_row]
            if view.kind == WINDOWS and time - series.waiting >= view.idle:
                if close_idle(tables, slot_number):
                    tables.dirty[row // SERIES_A_BLOCK] = 1
            elif view.kind == SILENCE:
                _find_silence(tables, row, slot_number, time)
            if view.silent > 0 and time - series.waiting >= view.silent and end_alerts(tables, row, slot_number, time):
                tables.dirty[row // SERIES_A_BLOCK] = 1
    return rows


@jit
def _find_silence(tables: Tables, row: int, slot_number: int, time: int) -> None:
    series = tables.series[row]
    slot = tables.slots[slot_number]
    for place in range(tables.views[slot.view_row].rules):
        number = slot.instance + place
        instance = tables.instances[number]
        rule = tables.rules[instance.rule]
        breach, waited, allowed = silence(rule, series.waiting, time)
        if instance.phase == INACTIVE and breach:
            instance.phase = FIRING
            instance.opened = time
            instance.points = 1
            instance.first = time
            instance.last = time
            instance.worst = waited
            result = emit_transition(tables, instance, number, FIRED, time)
            result.column = -1
            result.statistic = waited
            result.limit = allowed
            result.end = time
            result.waiting = series.waiting
            result.seen = series.newest
            result.window.first_length = 0
            tables.dirty[row // SERIES_A_BLOCK] = 1
