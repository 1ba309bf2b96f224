"""Everything that stage 1 knows of one partition. It says where things are kept, not what rules make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.errors import WireError
from engine.kernels.ids import index_all
from engine.kernels.layout import (
    CHANGE,
    DISABLED,
    LEDGER,
    POINTS_SLOT,
    RAW,
    SERIES_A_BLOCK,
    SILENCE,
    UNSET,
    Tables,
)
from engine.kernels.slots import floors_of
from engine.model.identity import series_key
from engine.model.time import Micros
from engine.state.arrays import Arrays, enlarged
from engine.wire.columns import FOREIGN
from engine.wire.partition import owner

if TYPE_CHECKING:
    from engine.model.finding import Finding
    from engine.model.limits import Limits
    from engine.model.records import Activate
    from engine.rules.compiler import Plan
    from engine.rules.ruleset import Kpi, Rule

_POINTS_FIRST = 8
FOREIGN_MAX = 100_000
"""Series of other partitions that are remembered, to spare their hashes; past it the memory starts anew."""
_NAN = float("nan")


class Series(NamedTuple):
    """A series of this partition: its KPI's row, dimension values and canonical key."""

    kpi: int
    dimensions: dict[str, str]
    key: str


EmittedKey = tuple[int, int, Micros, int]
"""(instance, transition, event time, how many like it before at that time)."""


class PartitionState:
    """Series, tables, ticks and marks of one partition under one plan.

    `emitted`: by slot, the findings that are not final. `counts`: series by KPI row. `pending`: activations whose
    tick has not come.
    """

    def __init__(self, plan: Plan, partition: int, partitions: int, limits: Limits, *, declare: bool = True) -> None:
        self.plan = plan
        self.partition = partition
        self.partitions = partitions
        self.limits = limits
        self.arrays = Arrays(plan)
        self.series: list[Series] = []
        self.rows: dict[str, int] = {}
        self.foreign: set[str] = set()
        self.counts = [0] * len(plan.kpis)
        self.tick_number: int | None = None
        self.tick_time: Micros | None = None
        self.marks: dict[str, int] = {}
        self.activation = -1
        self.pending: list[Activate] = []
        self.emitted: dict[int, dict[EmittedKey, Finding]] = {}
        self.ids_written = 0
        self.id_pages = 0
        self.block_pages = 0
        self._keys: dict[int, frozenset[str]] = {}
        if declare:
            self.declare()

    @property
    def tables(self) -> Tables:
        """What kernels take; another object whenever something grew."""
        return self.arrays.tables

    def declare(self) -> None:
        """Make the declared series that are not there yet, so that silence is seen of those that never came."""
        for row, kpi in enumerate(self.plan.rule_set.kpis):
            for dimensions in declared(kpi):
                key = series_key(kpi.id, dimensions)
                if key not in self.rows and owner(key.encode(), self.partitions) == self.partition:
                    self.append_series(row, dimensions, key)

    def resolve(self, kpi_id: str, dimensions: dict[str, str], source: str | None) -> int:
        """The `wire.columns.Resolver` of this partition."""
        row = self.plan.kpi_row.get(kpi_id)
        if row is None:
            raise WireError("unknown_kpi", f"no KPI {kpi_id!r} is in the catalogue", path="$.kpi")
        kpi = self.plan.rule_set.kpis[row]
        _check_dimensions(kpi, dimensions)
        if kpi.sources and source is not None and source not in kpi.sources:
            expected = ", ".join(kpi.sources)
            raise WireError("source_not_allowed", f"{kpi_id} comes from {expected}, not {source!r}", path="$.source")
        key = series_key(kpi_id, dimensions)
        found = self.rows.get(key)
        if found is not None:
            return found
        if key in self.foreign or owner(key.encode(), self.partitions) != self.partition:
            if len(self.foreign) >= FOREIGN_MAX:
                self.foreign.clear()
            self.foreign.add(key)
            return FOREIGN
        if self.counts[row] >= self.limits.series_per_kpi_max:
            raise WireError(
                "too_many_series", f"{kpi_id} has {self.counts[row]} series, its limit", path="$.dimensions"
            )
        return self.append_series(row, dict(dimensions), key)

    def key_of(self, kpi_row: int, dimensions: dict[str, str]) -> str:
        """The canonical key of a series of the KPI in `kpi_row`."""
        return series_key(self.plan.rule_set.kpis[kpi_row].id, dimensions)

    def append_series(self, kpi_row: int, dimensions: dict[str, str], key: str) -> int:
        """Make the rows of a new series: its slots, cells, instances and histories lie behind each other."""
        kpi = self.plan.kpis[kpi_row]
        first, views = int(kpi["view"]), int(kpi["views"])
        row = self.arrays.take("series", 1)
        slot = self.arrays.take("slots", views)
        self.series.append(Series(kpi_row, dimensions, key))
        self.rows[key] = row
        self.counts[kpi_row] += 1
        self.tables.series[row] = (kpi_row, slot, UNSET, UNSET, UNSET, UNSET, 0, 0)
        for place in range(views):
            self._append_slot(row, slot + place, first + place)
        self.tables.dirty[row // SERIES_A_BLOCK] = 1
        return row

    def _append_slot(self, row: int, slot: int, view_row: int) -> None:
        view = self.plan.views[view_row]
        cells = self.arrays.take("cells", int(view["cells"]))
        instance = self.arrays.take("instances", int(view["rules"]))
        self.tables.cells["index"][cells : cells + int(view["cells"])] = UNSET
        self.tables.slots[slot] = (row, view_row, cells, instance, 0, 0, 0, 0, 0, 0, UNSET, UNSET, UNSET)
        for place in range(int(view["rules"])):
            self._append_instance(row, slot, instance + place, int(view["rule"]) + place)

    def _append_instance(self, row: int, slot: int, number: int, rule_row: int) -> None:
        rule = self.plan.rules[rule_row]
        width = int(rule["width"]) if rule["kind"] == CHANGE else 0
        history = self.arrays.take("history", width)
        self.tables.history[history : history + width] = _NAN
        phase = 0 if self._concerns(rule_row, row) else DISABLED
        fresh = (rule_row, slot, phase, history, 0, 0, 0, 0, 0, 0.0, 0.0, UNSET, UNSET, 0, 0, 0, UNSET)
        self.tables.instances[number] = fresh
        self.tables.base[number] = fresh

    def _concerns(self, rule_row: int, row: int) -> bool:
        rule: Rule = self.plan.rule_of[rule_row]
        series = self.series[row]
        silence = self.plan.view_keys[int(self.plan.rules[rule_row]["view"])].kind == SILENCE
        if silence and series.key not in self._declared_keys(series.kpi):
            return False
        return all(series.dimensions.get(name) == value for name, value in rule.where.items())

    def _declared_keys(self, kpi_row: int) -> frozenset[str]:
        """The keys of a KPI's declared series; kept, since it is asked for each of them."""
        found = self._keys.get(kpi_row)
        if found is None:
            kpi = self.plan.rule_set.kpis[kpi_row]
            found = frozenset(series_key(kpi.id, dimensions) for dimensions in declared(kpi))
            self._keys[kpi_row] = found
        return found

    def make_room_for_points(self) -> None:
        """Give the slot that a pass stopped at a ring of twice the length."""
        number = int(self.tables.counters[POINTS_SLOT])
        room = int(self.tables.slots[number]["room"])
        self.move_points(number, max(_POINTS_FIRST, 2 * room))

    def move_points(self, number: int, room: int) -> None:
        """Move the raw points of a slot to a ring of `room` places at the end of the table."""
        place = self.arrays.take("points", room)
        slot = self.tables.slots[number]
        first, count = int(slot["point"]) + int(slot["head"]), int(slot["points"])
        self.tables.points[place : place + count] = self.tables.points[first : first + count]
        slot["point"], slot["room"], slot["head"] = place, room, 0

    def make_room_for_ids(self) -> None:
        """Forget ids that their series no longer accept anyway; double the ledger if that does not free half of it."""
        tables = self.tables
        count = int(tables.counters[LEDGER])
        floors = np.zeros(len(self.series), np.int64)
        floors_of(tables, floors)
        entries = tables.ids[:count]
        kept = entries[entries["time"] >= floors[entries["row"]]]
        room = len(tables.ids) if 2 * len(kept) <= len(tables.ids) else 2 * len(tables.ids)
        self.set_ids(enlarged(kept, room), len(kept))
        self.ids_written = 0

    def set_ids(self, ids: np.ndarray[tuple[int, ...], np.dtype[np.void]], count: int) -> None:
        """Take a ledger and index it."""
        places = np.zeros(2 * len(ids), np.int32)
        index_all(ids, places, count)
        self.arrays.replace_ids(ids, places, count)

    def slots_of(self, row: int) -> range:
        """The slots of a series."""
        first = int(self.tables.series[row]["slot"])
        return range(first, first + int(self.plan.kpis[self.series[row].kpi]["views"]))

    def instances_of(self, slot: int) -> range:
        """The instances of a slot."""
        first = int(self.tables.slots[slot]["instance"])
        return range(first, first + int(self.plan.views[int(self.tables.slots[slot]["view_row"])]["rules"]))

    def forget_history(self, row: int, rule: str) -> None:
        """Let one rule begin to learn one series anew."""
        for slot in self.slots_of(row):
            for number in self.instances_of(slot):
                instance = self.tables.instances[number]
                table_row = int(instance["rule"])
                if self.plan.rule_of[table_row].id == rule:
                    first, width = int(instance["history"]), int(self.plan.rules[table_row]["width"])
                    self.tables.history[first : first + width] = _NAN
        self.tables.dirty[row // SERIES_A_BLOCK] = 1

    def raw_slots(self, first: int, last: int) -> list[int]:
        """The slots from `first` to below `last` that keep raw points."""
        kinds = self.plan.views["kind"][self.tables.slots["view_row"][first:last]]
        return [first + int(place) for place in np.flatnonzero(kinds == RAW)]


def declared(kpi: Kpi) -> tuple[dict[str, str], ...]:
    """The series that a KPI is declared to have; the only one of a KPI without dimensions need not be named."""
    if not kpi.series and not kpi.dimensions:
        return ({},)
    return kpi.series


def _check_dimensions(kpi: Kpi, dimensions: dict[str, str]) -> None:
    for name in dimensions:
        if name not in kpi.dimensions:
            allowed = ", ".join(kpi.dimensions) or "none"
            raise WireError(
                "unknown_dimension", f"{kpi.id} has the dimensions {allowed}, not {name!r}", path=f"$.dimensions.{name}"
            )
