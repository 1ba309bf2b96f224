"""A partition's state under another plan: what both plans know is carried over, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.kernels.layout import (
    ACCEPTED,
    DUPLICATES,
    FIRING,
    IDS_LIMIT,
    LATE,
    LATE_RAW,
    LEDGER,
    POINTS_LIMIT,
    RAW,
    SERIES_A_BLOCK,
)
from engine.state.arrays import enlarged
from engine.state.partition import PartitionState

if TYPE_CHECKING:
    from engine.rules.compiler import Plan


class Lost(NamedTuple):
    """An instance that was firing and has no place in the new plan."""

    row: int
    instance: int


def migrated(old: PartitionState, plan: Plan) -> tuple[PartitionState, list[Lost]]:
    """`old` as the same partition under `plan`, and the firing instances that are lost, in row order.

    A KPI keeps its series, a view with the same window, lateness and idle its cells, a rule with the same
    fingerprint its instances. Everything else begins anew.
    """
    new = PartitionState(plan, old.partition, old.partitions, old.limits, declare=False)
    new.tick_number, new.tick_time = old.tick_number, old.tick_time
    for counted in (ACCEPTED, DUPLICATES, LATE, LATE_RAW, IDS_LIMIT, POINTS_LIMIT):
        new.tables.counters[counted] = old.tables.counters[counted]
    new.marks = {source: tick for source, tick in old.marks.items() if source in plan.clocks}
    new.activation, new.pending = old.activation, old.pending
    new.id_pages, new.block_pages = old.id_pages, old.block_pages
    rows = np.full(len(old.series) + 1, -1, np.int64)
    lost: list[Lost] = []
    for row, series in enumerate(old.series):
        kpi = plan.kpi_row.get(old.plan.rule_set.kpis[series.kpi].id)
        if kpi is not None:
            rows[row] = new.append_series(kpi, series.dimensions, series.key)
        lost.extend(_move_series(old, row, new, int(rows[row])))
    _move_ids(old, new, rows)
    new.declare()
    new.tables.dirty[: -(-len(new.series) // SERIES_A_BLOCK)] = 1
    return new, lost


def _move_series(old: PartitionState, row: int, new: PartitionState, new_row: int) -> list[Lost]:
    places = {}
    if new_row >= 0:
        for name in ("newest", "waiting", "bound", "mark", "ids_before", "ids_since"):
            new.tables.series[new_row][name] = old.tables.series[row][name]
        places = {new.plan.view_keys[int(new.tables.slots[slot]["view_row"])]: slot for slot in new.slots_of(new_row)}
    lost: list[Lost] = []
    for slot in old.slots_of(row):
        target = places.get(old.plan.view_keys[int(old.tables.slots[slot]["view_row"])])
        moved = {} if target is None else _move_slot(old, slot, new, target)
        lost.extend(
            Lost(row, instance)
            for instance in old.instances_of(slot)
            if instance not in moved and old.tables.instances[instance]["phase"] >= FIRING
        )
    return lost


def _move_slot(old: PartitionState, slot: int, new: PartitionState, target: int) -> dict[int, int]:
    """Copy a slot with cells, points and the instances of rules that kept their fingerprint; returns these by old
    row.
    """
    source, row = old.tables.slots[slot], new.tables.slots[target]
    view = old.plan.views[int(source["view_row"])]
    for name in ("provisional", "revision", "final", "closed", "newest"):
        row[name] = source[name]
    cells, first, goal = int(view["cells"]), int(source["cell"]), int(row["cell"])
    new.tables.cells[goal : goal + cells] = old.tables.cells[first : first + cells]
    if view["kind"] == RAW:
        _move_points(old, slot, new, target)
    by_print = {
        new.plan.rule_of[int(new.tables.instances[number]["rule"])].fingerprint: number
        for number in new.instances_of(target)
    }
    moved = {}
    for instance in old.instances_of(slot):
        print_ = old.plan.rule_of[int(old.tables.instances[instance]["rule"])].fingerprint
        if print_ in by_print:
            moved[instance] = by_print[print_]
            _move_instance(old, instance, new, by_print[print_])
    entries = old.emitted.get(slot, {})
    kept = {(moved[key[0]], *key[1:]): value for key, value in entries.items() if key[0] in moved}
    if kept:
        new.emitted[target] = kept
    return moved


def _move_points(old: PartitionState, slot: int, new: PartitionState, target: int) -> None:
    source = old.tables.slots[slot]
    first, count = int(source["point"]) + int(source["head"]), int(source["points"])
    new.move_points(target, int(source["room"]))
    row = new.tables.slots[target]
    place = int(row["point"])
    new.tables.points[place : place + count] = old.tables.points[first : first + count]
    row["points"] = count


def _move_instance(old: PartitionState, instance: int, new: PartitionState, target: int) -> None:
    history, goal = int(old.tables.instances[instance]["history"]), int(new.tables.instances[target]["history"])
    width = int(new.plan.rules[int(new.tables.instances[target]["rule"])]["width"])
    new.tables.history[goal : goal + width] = old.tables.history[history : history + width]
    for table, source in ((new.tables.instances, old.tables.instances), (new.tables.base, old.tables.base)):
        own = {name: table[target][name].copy() for name in ("rule", "slot", "history")}
        table[target] = source[instance]
        for name, value in own.items():
            table[target][name] = value


def _move_ids(old: PartitionState, new: PartitionState, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    count = int(old.tables.counters[LEDGER])
    entries = old.tables.ids[:count].copy()
    entries["row"] = rows[entries["row"]]
    kept = entries[entries["row"] >= 0]
    new.set_ids(enlarged(kept, len(old.tables.ids)), len(kept))
