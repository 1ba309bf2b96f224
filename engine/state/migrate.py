"""A partition's state under another plan: what both plans know is carried over, table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.kernels.layout import (
    ACCEPTED,
    DUPLICATES,
    FIRING,
    IDS_LIMIT,
    INSTANCE,
    LATE,
    LATE_RAW,
    LEDGER,
    POINTS_LIMIT,
    RAW,
    REVISED,
    SERIES_A_BLOCK,
    SILENCE,
    UNSET,
    WINDOWS,
)
from engine.rules.versions import renewed
from engine.state.partition import PartitionState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.rules.compiler import Plan, ViewKey

_GONE = -1
_OWN = ("rule", "slot", "history")
"""What an instance is, not what it has seen."""


class Lost(NamedTuple):
    """An instance that was firing: where its state is lost, because it has no place in the new plan."""

    row: int
    instance: int


def migrated(old: PartitionState, plan: Plan) -> tuple[PartitionState, list[Lost]]:
    """`old` as the same partition under `plan`, and the firing instances that are lost, in row order.

    A KPI keeps its series, a view with the same window, lateness, grace and idle its cells, a rule with the same
    fingerprint its instances. Everything else begins anew. A KPI that has another version keeps its series, and is cut:
    see `_cut`.
    """
    new = PartitionState(plan, old.partition, old.partitions, old.limits, declare=False)
    new.tick_number, new.tick_time = old.tick_number, old.tick_time
    for counted in (ACCEPTED, DUPLICATES, LATE, LATE_RAW, IDS_LIMIT, POINTS_LIMIT, REVISED):
        new.tables.counters[counted] = old.tables.counters[counted]
    new.marks = {source: tick for source, tick in old.marks.items() if source in plan.clocks}
    new.activation, new.pending = old.activation, old.pending
    new.id_pages, new.block_pages = old.id_pages, old.block_pages
    anew = _renewed(old, new)
    rows = _move_series(old, new)
    slots = _move_slots(old, new, rows, anew)
    _cut(new, anew)
    instances = _move_instances(old, new, slots, anew)
    _move_emitted(old, new, slots, instances, anew)
    _move_ids(old, new, rows, anew)
    new.declare()
    new.tables.dirty[: -(-len(new.series) // SERIES_A_BLOCK)] = 1
    return new, _lost(old, instances)


def _move_series(old: PartitionState, new: PartitionState) -> NDArray[np.int64]:
    """Make the series of KPIs that stay; where each row went."""
    count = len(old.series)
    kpis = np.array([new.plan.kpi_row.get(kpi.id, _GONE) for kpi in old.plan.rule_set.kpis], np.int32)
    kpi_of = kpis[old.tables.series["kpi"][:count]]
    kept = np.flatnonzero(kpi_of != _GONE)
    keys, lengths = old.series.keys(0, count)
    data = np.frombuffer(keys, np.uint8)[np.repeat(kpi_of != _GONE, lengths)]
    new.lay_out(kpi_of[kept], new.take_series(data.tobytes(), lengths[kept], kpi_of[kept]))
    for name in ("newest", "waiting", "bound", "mark", "ids_before", "ids_since"):
        new.tables.series[name][: len(kept)] = old.tables.series[name][kept]
    return _went(count, kept, np.arange(len(kept)))


def _move_slots(
    old: PartitionState, new: PartitionState, rows: NDArray[np.int64], anew: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Copy the slots of views that stay, with their cells and raw points, which KPIs that begin `anew` leave behind;
    where each slot went.
    """
    slots = old.tables.slots[: old.arrays.used["slots"]]
    view_of = _views(old.plan, new.plan)[slots["view_row"]]
    kept = np.flatnonzero(view_of != _GONE)
    views = view_of[kept]
    whole = ~anew[new.plan.views["kpi"][views]]
    first_view = new.plan.kpis["view"][new.plan.views["kpi"][views]]
    goals = new.tables.series["slot"][rows[slots["series"][kept]]] + views - first_view
    new.tables.slots["revision"][goals] = slots["revision"][kept]
    for name in ("provisional", "final", "closed", "newest"):
        new.tables.slots[name][goals[whole]] = slots[name][kept[whole]]
    cells = new.plan.views["cells"][views[whole]]
    source, target = (_spread(each["cell"], cells) for each in (slots[kept[whole]], new.tables.slots[goals[whole]]))
    _move_cells(old, source, new, target, np.repeat(new.plan.views["sketches"][views[whole]] > 0, cells))
    full = _went(len(slots), kept[whole], goals[whole])
    for slot in old.with_points(slice(0, len(slots))).tolist():
        if full[slot] != _GONE:
            _move_points(old, slot, new, int(full[slot]))
    return _went(len(slots), kept, goals)


def _renewed(old: PartitionState, new: PartitionState) -> NDArray[np.bool_]:
    """By KPI row of the new plan: whether it has another version than before."""
    names = renewed(old.plan.rule_set, new.plan.rule_set)
    found = np.zeros(len(new.plan.kpis), np.bool_)
    found[[new.plan.kpi_row[name] for name in names]] = True
    return found


def _cut(state: PartitionState, kpis: NDArray[np.bool_]) -> None:
    """What a series of these KPIs has seen is of another version: whatever is older than its newest is late, and the
    windows that hold the newest are nobody's. They would mix both.
    """
    series = state.tables.series[: len(state.series)]
    rows = np.flatnonzero(kpis[series["kpi"]] & (series["newest"] != UNSET))
    series["bound"][rows] = np.maximum(series["bound"][rows], series["newest"][rows])
    for number in np.flatnonzero(kpis[state.plan.views["kpi"]]).tolist():
        view = state.plan.views[number]
        own = rows[series["kpi"][rows] == view["kpi"]]
        newest = series["newest"][own]
        slots = series["slot"][own] + number - state.plan.kpis[view["kpi"]]["view"]
        if view["kind"] == WINDOWS:
            begins = _after(state, number, _indices(state, number, newest))
            state.tables.slots["final"][slots] = state.tables.slots["closed"][slots] = begins
        elif view["kind"] == RAW:
            state.tables.slots["final"][slots] = newest - 1
            state.tables.slots["newest"][slots] = newest


def _after(state: PartitionState, view: int, indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first window of a view that holds nothing of these cells."""
    period = int(state.plan.views[view]["period"])
    if period < 0:
        return indices + int(state.plan.views[view]["span"])
    return np.searchsorted(state.plan.periods[period], indices, side="right").astype(np.int64)


def _indices(state: PartitionState, view: int, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cells of a view that these times fall into: `kernels.windows.index_of` of many."""
    calendar, step = (int(state.plan.views[view][name]) for name in ("calendar", "step"))
    if calendar < 0:
        return times // step
    return np.searchsorted(state.tables.calendars[calendar], times, side="right").astype(np.int64) - 1


def _move_cells(
    old: PartitionState,
    rows: NDArray[np.int64],
    new: PartitionState,
    goals: NDArray[np.int64],
    own: NDArray[np.bool_],
) -> None:
    """Copy cells, with the sketches of those that have their `own`; these lie elsewhere now."""
    sources, targets = old.tables.cells["sketch"][rows], new.tables.cells["sketch"][goals]
    new.tables.cells[goals] = old.tables.cells[rows]
    new.tables.cells["sketch"][goals] = targets
    new.tables.sketches[targets[own]] = old.tables.sketches[sources[own]]


def _move_points(old: PartitionState, slot: int, new: PartitionState, goal: int) -> None:
    new.move_points(goal, int(old.tables.slots[slot]["room"]))
    new.tables.slots[goal]["points"] = old.tables.slots[slot]["points"]
    new.tables.points[new.points_of(goal)] = old.tables.points[old.points_of(slot)]


def _move_instances(
    old: PartitionState, new: PartitionState, slots: NDArray[np.int64], anew: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Copy the instances of rules that kept their fingerprint, their histories, and what they were before all that can
    still change; where each instance went.
    """
    instances = old.tables.instances[: old.arrays.used["instances"]]
    rule_of = _rules(old.plan, new.plan)[instances["rule"]]
    kept = np.flatnonzero(rule_of != _GONE)
    rules = rule_of[kept]
    first_rule = new.plan.views["rule"][new.plan.rules["view"][rules]]
    goals = new.tables.slots["instance"][slots[instances["slot"][kept]]] + rules - first_rule
    based = _with_base(new)
    new.tables.base[based] = new.tables.instances[based]
    _copy(instances, kept, new.tables.instances, goals)
    cut = anew[new.plan.views["kpi"][new.plan.rules["view"][rules]]]
    _copy(instances, kept[cut], new.tables.base, goals[cut])  # all that they were is final
    again = np.isin(goals, based) & ~cut
    _copy(old.tables.base, kept[again], new.tables.base, goals[again])
    widths = new.plan.rules["width"][rules]
    source, target = (_spread(each["history"], widths) for each in (instances[kept], new.tables.instances[goals]))
    new.tables.history[target] = old.tables.history[source]
    return _went(len(instances), kept, goals)


def _with_base(state: PartitionState) -> NDArray[np.int64]:
    """The instances of slots that have something to judge again."""
    used = state.arrays.used
    return np.flatnonzero(
        np.isin(state.tables.instances["slot"][: used["instances"]], state.with_base(slice(0, used["slots"])))
    )


def _copy(
    source: NDArray[np.void], rows: NDArray[np.int64], target: NDArray[np.void], goals: NDArray[np.int64]
) -> None:
    for name in INSTANCE.names or ():
        if name not in _OWN:
            target[name][goals] = source[name][rows]


def _move_emitted(
    old: PartitionState,
    new: PartitionState,
    slots: NDArray[np.int64],
    instances: NDArray[np.int64],
    anew: NDArray[np.bool_],
) -> None:
    for slot, entries in old.emitted.items():
        if slots[slot] == _GONE or anew[new.tables.series["kpi"][new.tables.slots["series"][slots[slot]]]]:
            continue
        kept = {
            (int(instances[key[0]]), *key[1:]): finding
            for key, finding in entries.items()
            if instances[key[0]] != _GONE
        }
        if kept:
            new.emitted[int(slots[slot])] = kept


def _move_ids(old: PartitionState, new: PartitionState, rows: NDArray[np.int64], anew: NDArray[np.bool_]) -> None:
    entries = old.tables.ids[: int(old.tables.counters[LEDGER])]
    went = rows[entries["row"]]
    kept = went != _GONE
    count = int(kept.sum())
    new.arrays.make_room("ids", len(old.tables.ids))
    new.tables.ids[:count] = entries[kept]
    new.tables.ids["row"][:count] = went[kept]
    new.tables.ids["value"][:count][_is_looked_at_anew(old, new, went[kept], anew)] = np.nan
    new.index_ids(count)


def _is_looked_at_anew(
    old: PartitionState, new: PartitionState, rows: NDArray[np.int64], anew: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which measurements of these series a view has not counted that is new: they cannot be restated there."""
    stays = np.isin(np.arange(len(new.plan.views)), _views(old.plan, new.plan))
    stays &= ~anew[new.plan.views["kpi"]]
    kpis = new.plan.views["kpi"][~stays & (new.plan.views["kind"] != SILENCE)]
    return np.isin(new.tables.series["kpi"][rows], kpis)


def _lost(old: PartitionState, instances: NDArray[np.int64]) -> list[Lost]:
    return [each for each in firing_of(old) if instances[each.instance] == _GONE]


def firing_of(state: PartitionState) -> list[Lost]:
    """The instances that are firing, in row order."""
    numbers = np.flatnonzero(state.tables.instances["phase"][: state.arrays.used["instances"]] >= FIRING)
    rows = state.tables.slots["series"][state.tables.instances["slot"][numbers]]
    return [Lost(row, number) for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)]


def _views(old: Plan, new: Plan) -> NDArray[np.int64]:
    """By view of the old plan: the same view of the same KPI in the new one."""
    present = {view: row for row, view in enumerate(_names_of_views(new))}
    return np.array([present.get(view, _GONE) for view in _names_of_views(old)], np.int64)


def _names_of_views(plan: Plan) -> list[tuple[str, ViewKey]]:
    kpis = plan.rule_set.kpis
    return [(kpis[view["kpi"]].id, key) for view, key in zip(plan.views, plan.view_keys, strict=True)]


def _rules(old: Plan, new: Plan) -> NDArray[np.int64]:
    """By rule row of the old plan: the same rule on the same view in the new one."""
    view_of = _views(old, new)[old.rules["view"]].tolist()
    prints = [[rule.fingerprint for rule in plan.rule_of] for plan in (old, new)]
    present = {rule: row for row, rule in enumerate(zip(new.rules["view"].tolist(), prints[1], strict=True))}
    return np.array([present.get(rule, _GONE) for rule in zip(view_of, prints[0], strict=True)], np.int64)


def _went(count: int, kept: NDArray[np.int64], goals: NDArray[np.int64]) -> NDArray[np.int64]:
    went = np.full(count, _GONE, np.int64)
    went[kept] = goals
    return went


def _spread(firsts: NDArray[np.int32], counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Every row of ranges of so many rows."""
    begins = np.cumsum(counts) - counts
    return np.repeat(firsts - begins, counts) + np.arange(counts.sum())
