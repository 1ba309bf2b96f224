"""Silence: tick time has gone on for longer than a series may be silent, or than alerts on it live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels._jit import jit, jit_apart, stay_apart
from engine.kernels.layout import FIRING, INACTIVE, NO_COLUMN, RESOLVED, UNSET, WINDOWS
from engine.kernels.slots import copy_instances
from engine.kernels.step import emit_transition
from engine.kernels.windows import start_of

if TYPE_CHECKING:
    from engine.kernels.layout import Tables

_SECOND = 1e6


@jit
def silence(rule: Any, waiting: int, time: int) -> tuple[bool, float, float]:
    """(breach, seconds waited, seconds allowed) at tick time `time`, waiting since the tick `waiting`."""
    waited = time - waiting
    return waited >= rule.after, float(waited) / _SECOND, float(rule.after) / _SECOND


@jit_apart
def end_alerts(tables: Tables, row: int, slot_number: int, time: int) -> bool:
    """At the tick `time` the slot has been silent for too long: what was judged is final, alerts end with the point
    that was judged last, and runs towards one are over. False: all that was done before.
    """
    stay_apart()
    slot = tables.slots[slot_number]
    if slot.newest == UNSET:
        return False
    changed, last = _make_final(tables, slot_number)
    for number in range(slot.instance, slot.instance + tables.views[slot.view_row].rules):
        instance = tables.instances[number]
        if instance.phase > INACTIVE or instance.recent != np.uint64(0):
            if instance.phase >= FIRING:
                _end_alert(tables, row, number, last, time)
            instance.phase = INACTIVE
            instance.recent = np.uint64(0)
            changed = True
    if changed:
        copy_instances(tables, slot, tables.instances, tables.base)
    return changed


@jit
def _make_final(tables: Tables, slot_number: int) -> tuple[bool, int]:
    """Let nothing that was judged be judged again; (whether something could have been, the time of the last point)."""
    slot = tables.slots[slot_number]
    view = tables.views[slot.view_row]
    if view.kind == WINDOWS:
        changed = slot.final < slot.closed
        slot.final = max(slot.final, slot.closed)
        slot.provisional = 0
        return changed, start_of(view, tables.calendars, slot.closed)
    changed = slot.points > 0
    slot.head = 0
    slot.points = 0
    slot.final = max(slot.final, slot.newest)
    return changed, slot.newest


@jit
def _end_alert(tables: Tables, row: int, number: int, last: int, time: int) -> None:
    series = tables.series[row]
    result = emit_transition(tables, tables.instances[number], number, RESOLVED, last)
    result.column = NO_COLUMN
    result.end = time
    result.waiting = series.waiting
    result.seen = series.newest
    result.window.first_length = 0
