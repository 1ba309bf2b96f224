"""Follows one rule on one series through stage 1: which windows closed and with what, or which measurements it saw."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from engine.kernels.layout import DISABLED, RAW, UNSET
from engine.kernels.registry import ABSENT
from engine.model.identity import series_key
from engine.model.outputs import DeadLetter, KpiState
from engine.model.records import Rebaseline
from engine.model.time import parse_own_time
from engine.model.topics import DEAD_LETTERS, KPI_STATE
from engine.offline.backtest.columns import chosen
from engine.offline.why.trail import Point
from engine.state.partition import declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.rules.compiler import Plan
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Output
    from engine.runtime.stage1 import Stage1
    from engine.state.partition import PartitionState
    from engine.wire.columns import Chunk


_read_state = msgspec.json.Decoder(KpiState).decode
_read_letter = msgspec.json.Decoder(DeadLetter).decode


class Place(NamedTuple):
    """Where the rule stands on the series: its row among the plan's rules, and the rows of slot and instance."""

    rule_row: int
    slot: int
    instance: int


class Watch:
    """Give it every chunk in order; it passes them to the stage. `refused` counts dead letters of the series by reason.

    Windows are known by their closing, as those of a KPI that is published; a rule on raw points sees one measurement
    of the series at a time.
    """

    def __init__(self, rule: str, series: str) -> None:
        self.rule, self.series = rule, series
        self.refused: Counter[str] = Counter()
        self._windows: dict[int, Point] = {}
        self._measured: list[Point] = []
        self._plan: Plan | None = None
        self._fingerprint: str | None = None

    @property
    def points(self) -> list[Point]:
        """What the rule has judged, in its order, as it stands now."""
        if self._windows:
            return [self._windows[index] for index in sorted(self._windows)]
        return sorted(self._measured, key=lambda point: point.end)

    def take(self, stage: Stage1, chunk: Chunk) -> Iterator[Output]:
        """Let the stage take the chunk; what it says, without what is said only to us."""
        self._attach(stage.state)
        for part in self._parts(stage.state, chunk):
            before = stage.counts.get("accepted", 0)
            outputs = stage.take(part)
            for output in outputs:
                if output.topic == KPI_STATE:
                    self._closed(output)
                elif output.topic == DEAD_LETTERS:
                    self._letter(stage.state, part, output)
            if len(part.columns.row) == 1 and stage.counts.get("accepted", 0) > before:
                self._note_measured(stage.state, part)
            yield from (output for output in outputs if output.topic != KPI_STATE)
        control = None if chunk.control is None else chunk.control.record
        if isinstance(control, Rebaseline) and (control.series, control.rule) == (self.series, self.rule):
            self._windows.clear()

    def hear(self, outputs: Iterable[Output], rules: RuleSet) -> None:
        """What stage 2 says, and the rule set that stage 1 has: nothing of it is kept."""

    def place(self, state: PartitionState) -> Place | None:
        """None where the series is not there, or the rule looks at nothing of it."""
        row, rule_row = state.series.find(self.series.encode()), rule_row_of(state.plan, self.rule)
        if row == ABSENT or rule_row is None:
            return None
        view_row = int(state.plan.rules[rule_row]["view"])
        for slot in state.slots_of(row):
            if int(state.tables.slots[slot]["view_row"]) == view_row:
                place = rule_row - int(state.plan.views[view_row]["rule"])
                return Place(rule_row, slot, state.instances_of(slot).start + place)
        return None

    def _attach(self, state: PartitionState) -> None:
        """Have the closed windows of the rule's view told. Another rule set brings another plan."""
        if state.plan is self._plan:
            return
        rule = state.plan.rule_set.rule_by_id.get(self.rule)
        fingerprint = None if rule is None else rule.fingerprint
        if fingerprint != self._fingerprint:
            self._windows.clear()
            self._measured.clear()
        self._fingerprint = fingerprint
        rule_row = rule_row_of(state.plan, self.rule)
        if rule_row is not None:
            view_row = int(state.plan.rules[rule_row]["view"])
            views = state.plan.views.copy()
            views[view_row]["publish"] = 1
            state.plan = state.plan._replace(views=views, published=frozenset({view_row}))
            state.arrays.tables = state.arrays.tables._replace(views=views)
        self._plan = state.plan

    def _parts(self, state: PartitionState, chunk: Chunk) -> Iterator[Chunk]:
        """The chunk as it is; for a rule on raw points cut so that each measurement of the series stands alone."""
        row = state.series.find(self.series.encode())
        mine = np.flatnonzero(chunk.columns.row == row).tolist() if self._is_raw(state) and row != ABSENT else []
        if not mine:
            yield chunk
            return
        cuts = sorted({0, *mine, *(place + 1 for place in mine), len(chunk.columns.row)})
        for begin, end in pairwise(cuts):
            last = end == len(chunk.columns.row)
            asides, control = (chunk.asides, chunk.control) if last else ((), None)
            yield chunk._replace(columns=chosen(chunk.columns, slice(begin, end)), asides=asides, control=control)

    def _is_raw(self, state: PartitionState) -> bool:
        rule_row = rule_row_of(state.plan, self.rule)
        return rule_row is not None and state.plan.view_keys[int(state.plan.rules[rule_row]["view"])].kind == RAW

    def _closed(self, output: Output) -> None:
        if output.record.key == self.series.encode():
            told = _read_state(output.record.value or b"")
            window = told.window
            begin, end = parse_own_time(window.start), parse_own_time(window.end)
            self._windows[window.index] = Point(window.index, begin, end, told.value)

    def _letter(self, state: PartitionState, chunk: Chunk, output: Output) -> None:
        letter, columns = _read_letter(output.record.value or b""), chunk.columns
        rows = columns.row[(columns.offset == letter.offset) & (columns.item == (letter.index or 0))]
        if state.series.find(self.series.encode()) in rows.tolist():
            self.refused[letter.reason] += 1

    def _note_measured(self, state: PartitionState, chunk: Chunk) -> None:
        """Whether the rule on raw points has judged the measurement that was taken: its slot is there, or has it."""
        place = self.place(state) if self._is_raw(state) else None
        if place is None or int(chunk.columns.row[0]) != int(state.tables.slots[place.slot]["series"]):
            return
        time, slot = int(chunk.columns.time[0]), state.tables.slots[place.slot]
        held = state.tables.points[state.points_of(place.slot)]["time"]
        if time in held if state.plan.views[int(slot["view_row"])]["lateness"] else time == int(slot["newest"]):
            self._measured.append(Point(0, time, time, float(chunk.columns.value[0])))


def rule_row_of(plan: Plan, rule: str) -> int | None:
    """Its row in the plan; None for a rule that stage 1 does not judge."""
    return next((row for row, each in enumerate(plan.rule_of) if each.id == rule), None)


def instance_of(state: PartitionState, place: Place) -> Any:
    """The rule's state on the series."""
    return state.tables.instances[place.instance]


def concerns(state: PartitionState, place: Place) -> bool:
    """Whether the rule looks at the series at all."""
    return int(instance_of(state, place)["phase"]) != DISABLED


def newest_of(state: PartitionState, place: Place) -> int | None:
    """The newest event time of the series; None before the first."""
    newest = int(state.tables.series[int(state.tables.slots[place.slot]["series"])]["newest"])
    return None if newest == UNSET else newest


def is_declared(rules: RuleSet, series: str) -> bool:
    """Whether the catalogue says that there is such a series."""
    kpi = rules.kpi_by_id.get(series.partition("{")[0])
    return kpi is not None and any(series == series_key(kpi.id, dimensions) for dimensions in declared(kpi))
