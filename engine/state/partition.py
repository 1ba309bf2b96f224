"""Everything that stage 1 knows of one partition. It says where things are kept, not what rules make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import WireError
from engine.kernels.ids import forget, index_all
from engine.kernels.laying import lay_out
from engine.kernels.layout import (
    DISABLED,
    INACTIVE,
    LEDGER,
    MISSING,
    POINTS_SLOT,
    RAW,
    SERIES_A_BLOCK,
    UNSET,
    Tables,
)
from engine.kernels.registry import ABSENT, murmur2
from engine.kernels.slots import floors_of
from engine.model.formula import SOURCE
from engine.model.identity import series_key
from engine.model.time import Micros
from engine.rules.resolved.selector import selects
from engine.state.arrays import Arrays
from engine.state.registry import Registry
from engine.state.starts import Starts
from engine.wire.columns import FOREIGN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.model.finding import Finding
    from engine.model.limits import Limits
    from engine.model.records import Activate
    from engine.rules.compiler import Plan
    from engine.rules.resolved.catalogue import Kpi
    from engine.state.trace import Trace

RANGES = ("series", "slots", "cells", "sketches", "instances", "history")
"""Tables in which what belongs to one series is a range of rows, in the order of the series."""
_POINTS_FIRST = 8
_IDS_LEAST = 4_096
_NAN = float("nan")


EmittedKey = tuple[int, int, Micros, int]
"""(instance, transition, event time, how many like it before at that time)."""


class PartitionState:
    """Series, tables, ticks and marks of one partition under one plan.

    `emitted`: by slot, the findings that are not final. `counts`: series by KPI row. `pending`: activations whose
    tick has not come. `trace`: who is told of evaluations, and no part of the state.
    """

    def __init__(self, plan: Plan, partition: int, partitions: int, limits: Limits, *, declare: bool = True) -> None:
        self.plan = plan
        self.starts = Starts(plan)
        self.partition = partition
        self.partitions = partitions
        self.limits = limits
        self.arrays = Arrays(plan)
        self.series = Registry(plan.kpi_row)
        self.counts = np.zeros(len(plan.kpis), np.int64)
        self.tick_number: int | None = None
        self.tick_time: Micros | None = None
        self.marks: dict[str, int] = {}
        self.activation = -1
        self.pending: list[Activate] = []
        self.emitted: dict[int, dict[EmittedKey, Finding]] = {}
        self.trace: Trace | None = None
        self.ids_written = 0
        self.id_pages = 0
        self.id_revisions: list[int] = []
        self.restated = False
        self.block_pages = 0
        self._sizes = _sizes(plan)
        self._selective = {
            kpi_row
            for kpi_row in range(len(plan.kpis))
            if any(plan.rule_of[rule_row].where for rule_row in _rules_of(plan, kpi_row))
        }
        self._new: list[int] = []
        if declare:
            self.declare()

    @property
    def tables(self) -> Tables:
        """What kernels take, with the rows of all series; another object whenever something grew."""
        if self._new:
            self._lay_out_new()
        return self.arrays.tables

    def declare(self) -> None:
        """Make the declared series that are not there yet, and look for silence of all of them."""
        for kpi_row, kpi in enumerate(self.plan.rule_set.kpis):
            rows = []
            for dimensions in declared(kpi):
                key = series_key(kpi.id, dimensions).encode()
                if self._owns(key):
                    row = self.series.find(key)
                    rows.append(self._add(kpi_row, key) if row == ABSENT else row)
            self._expect(kpi_row, np.array(rows, np.int64))

    def resolve(self, kpi_id: str, dimensions: dict[str, str], source: str | None) -> int:
        """The `wire.columns.Resolver` of this partition."""
        kpi_row = self.plan.kpi_row.get(kpi_id)
        if kpi_row is None:
            raise WireError("unknown_kpi", f"no KPI {kpi_id!r} is in the catalogue", path="$.kpi")
        kpi = self.plan.rule_set.kpis[kpi_row]
        _check_dimensions(kpi, dimensions)
        if kpi.sources and source is not None and source not in kpi.sources:
            expected = ", ".join(kpi.sources)
            raise WireError("source_not_allowed", f"{kpi_id} comes from {expected}, not {source!r}", path="$.source")
        if self.plan.derived[kpi_row] and source != SOURCE:
            raise WireError(
                "derived_kpi", f"{kpi_id} is worked out from other KPIs; send those, and not its values", path="$.kpi"
            )
        key = series_key(kpi_id, dimensions).encode()
        row = self.series.find(key)
        if row != ABSENT:
            return row
        if not self._owns(key):
            return FOREIGN
        if self.counts[kpi_row] >= self.limits.series_per_kpi_max:
            raise WireError(
                "too_many_series", f"{kpi_id} has {self.counts[kpi_row]} series, its limit", path="$.dimensions"
            )
        return self._add(kpi_row, key)

    def _owns(self, key: bytes) -> bool:
        hashed = murmur2(np.frombuffer(key, np.uint8), 0, len(key))
        return (hashed & 0x7FFFFFFF) % self.partitions == self.partition

    def _add(self, kpi_row: int, key: bytes) -> int:
        """A new series. Its rows are laid out when the tables are next asked for: many at once, where many are new."""
        self._new.append(kpi_row)
        self.counts[kpi_row] += 1
        return self.series.add(key)

    def _lay_out_new(self) -> None:
        kpis, self._new = np.array(self._new, np.int32), []
        self.lay_out(kpis, self._take_rows(kpis))

    def lay_out(self, kpis: NDArray[np.int32], firsts: list[int]) -> None:
        """Write series of these KPIs as they are before their first measurement, from the given rows on."""
        lay_out(self.arrays.tables, kpis, *firsts)
        row = firsts[0]
        for kpi_row in self._selective.intersection(kpis.tolist()):
            self._leave_out(kpi_row, row + np.flatnonzero(kpis == kpi_row))
        self.tables.dirty[row // SERIES_A_BLOCK : -(-len(self.series) // SERIES_A_BLOCK)] = 1

    def take_series(self, keys: bytes | memoryview, lengths: NDArray[np.int64], kpis: NDArray[np.int32]) -> list[int]:
        """Give series that are not there yet their rows in the tables of RANGES; returns the first in each."""
        self.series.extend(keys, lengths)
        self.counts += np.bincount(kpis, minlength=len(self.counts))
        return self._take_rows(kpis)

    def _take_rows(self, kpis: NDArray[np.int32]) -> list[int]:
        """What belongs to a series lies behind what belongs to the one before it."""
        sizes = self._sizes[kpis].sum(axis=0).tolist()
        return [self.arrays.take(name, size) for name, size in zip(RANGES, sizes, strict=True)]

    def _leave_out(self, kpi_row: int, rows: NDArray[np.int64]) -> None:
        """Disable the rules that do not concern these series of one KPI."""
        for rule_row in _rules_of(self.plan, kpi_row):
            others = np.setdiff1d(rows, self._concerned(rule_row, rows))
            self.tables.instances["phase"][self._instances(rule_row, others)] = DISABLED

    def _expect(self, kpi_row: int, rows: NDArray[np.int64]) -> None:
        """Let the rules that look for silence look at these series of one KPI."""
        for rule_row in _rules_of(self.plan, kpi_row):
            if self.plan.rules[rule_row]["kind"] == MISSING:
                numbers = self._instances(rule_row, self._concerned(rule_row, rows))
                phases = self.tables.instances["phase"]
                phases[numbers] = np.maximum(phases[numbers], INACTIVE)

    def _concerned(self, rule_row: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the series in `rows` that the rule concerns."""
        where = self.plan.rule_of[rule_row].where
        if not where:
            return rows
        return np.array([row for row in rows.tolist() if selects(where, self.series[row].dimensions)], np.int64)

    def _instances(self, rule_row: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The instances of a rule on the series in `rows`."""
        view_row = int(self.plan.rules[rule_row]["view"])
        view = self.plan.views[view_row]
        place = view_row - int(self.plan.kpis[view["kpi"]]["view"])
        slots = self.tables.series["slot"][rows] + place
        numbers: NDArray[np.int64] = self.tables.slots["instance"][slots] + (rule_row - int(view["rule"]))
        return numbers

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
        """Forget ids that their series no longer accept anyway; double the ledger if that does not free half of it, or
        if it is short: to stop here costs as much as some hundred measurements.
        """
        floors = np.zeros(len(self.series), np.int64)
        floors_of(self.tables, floors)
        kept = int(forget(self.tables.ids, int(self.tables.counters[LEDGER]), floors))
        if 2 * kept > len(self.tables.ids) or len(self.tables.ids) < _IDS_LEAST:
            self.arrays.make_room("ids", 2 * len(self.tables.ids))
        self.index_ids(kept)
        self.ids_written = 0
        self.id_revisions.clear()

    def index_ids(self, count: int) -> None:
        """Say that the ledger has `count` entries, and index them."""
        self.arrays.make_room("places", 2 * len(self.tables.ids))
        self.tables.places[:] = 0
        index_all(self.tables.ids, self.tables.places, count)
        self.tables.counters[LEDGER] = count

    def slots_of(self, row: int) -> range:
        """The slots of a series."""
        series = self.tables.series[row]
        first = int(series["slot"])
        return range(first, first + int(self.plan.kpis[series["kpi"]]["views"]))

    def instances_of(self, slot: int) -> slice:
        """The instances of a slot."""
        first = int(self.tables.slots[slot]["instance"])
        return slice(first, first + int(self.plan.views[self.tables.slots[slot]["view_row"]]["rules"]))

    def points_of(self, slot: int) -> slice:
        """The raw points that a slot holds."""
        row = self.tables.slots[slot]
        first = int(row["point"]) + int(row["head"])
        return slice(first, first + int(row["points"]))

    def forget_history(self, row: int, rule: str) -> None:
        """Let one rule begin to learn one series anew."""
        for slot in self.slots_of(row):
            for instance in self.tables.instances[self.instances_of(slot)]:
                table_row = int(instance["rule"])
                if self.plan.rule_of[table_row].id == rule:
                    first, width = int(instance["history"]), int(self.plan.rules[table_row]["width"])
                    self.tables.history[first : first + width] = _NAN
        self.tables.dirty[row // SERIES_A_BLOCK] = 1

    def with_base(self, slots: slice) -> NDArray[np.int64]:
        """Those of the slots that have something to judge again, from what their instances were before it."""
        rows = self.tables.slots[slots]
        views = self.plan.views[rows["view_row"]]
        raw = (views["kind"] == RAW) & (views["lateness"] > 0) & (rows["newest"] != UNSET)
        used: NDArray[np.int64] = np.flatnonzero(raw | (rows["provisional"] != 0)) + slots.start
        return used

    def with_points(self, slots: slice) -> NDArray[np.int64]:
        """Those of the slots that have room for raw points."""
        used: NDArray[np.int64] = np.flatnonzero(self.tables.slots["room"][slots]) + slots.start
        return used


def _sizes(plan: Plan) -> NDArray[np.int64]:
    """How many rows a series takes in each of RANGES, by KPI."""
    sizes = np.zeros((len(plan.kpis), len(RANGES)), np.int64)
    for kpi_row, kpi in enumerate(plan.kpis):
        views = plan.views[kpi["view"] : kpi["view"] + kpi["views"]]
        widths = [int(plan.rules[rule_row]["width"]) for rule_row in _rules_of(plan, kpi_row)]
        rings = views["cells"].sum(), views["sketches"].sum()
        sizes[kpi_row] = 1, len(views), *rings, len(widths), sum(widths)
    return sizes


def _rules_of(plan: Plan, kpi_row: int) -> range:
    """The rules of a KPI, of all its views."""
    kpi = plan.kpis[kpi_row]
    first, last = plan.views[kpi["view"]], plan.views[kpi["view"] + kpi["views"] - 1]
    return range(int(first["rule"]), int(last["rule"] + last["rules"]))


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
