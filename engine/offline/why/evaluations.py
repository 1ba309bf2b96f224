"""The last evaluations of every rule: what each made of the newest points, as they stand now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from engine.kernels.layout import JUDGED, NOT_KNOWN, RAW, WARM_UP
from engine.kernels.registry import ABSENT
from engine.model.time import format_time
from engine.offline.why.of_series import STATES, number_of
from engine.state.trace import trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.model.time import Micros
    from engine.rules.compiler import Plan
    from engine.state.partition import PartitionState

Outcome = Literal["judged", "warm_up", "not_known"]
_OUTCOMES: dict[int, Outcome] = {int(JUDGED): "judged", int(WARM_UP): "warm_up", int(NOT_KNOWN): "not_known"}

_ROW = np.dtype(
    [
        ("rule", "i4"),
        ("series", "i4"),
        ("time", "i8"),
        ("value", "f8"),
        ("statistic", "f8"),
        ("limit", "f8"),
        ("baseline", "f8"),
        ("phase", "i4"),
        ("outcome", "i4"),
    ]
)
_SAME = ("time", "value", "statistic", "limit", "baseline", "phase", "outcome")
_NONE = np.zeros(0, _ROW)
_WAITING_MAX = 20_000
"""Rows that wait to be put with the others of their rules."""


class Evaluation(msgspec.Struct, frozen=True):
    """One point that a rule has looked at: its time (the end of a window, or its own), series (of a rule that joins:
    scope) and value; `statistic` is what was held against `limit`, `usual` the level that it was taken from; null where
    there is no such number. `state` is the rule's after it. `outcome` says whether it was judged at all: `warm_up` and
    `not_known` points leave the state as it was.
    """

    time: str
    series: str
    state: str
    outcome: Outcome = "judged"
    value: float | None = None
    statistic: float | None = None
    limit: float | None = None
    usual: float | None = None


class Dated(NamedTuple):
    """An evaluation with its event time and series; `place`: of equals the later one has the higher."""

    time: Micros
    series: str
    place: int
    evaluation: Evaluation


def newest(found: list[Dated], count: int) -> tuple[Evaluation, ...]:
    """The last `count`, the newest first; of one time by series."""
    ordered = sorted(found, key=lambda each: (-each.time, each.series, -each.place))
    return tuple(each.evaluation for each in ordered[:count])


class Evaluations:
    """The newest evaluations of every rule in one partition. Implements `engine.state.trace.Trace`.

    Kept are the last `keep` of a rule by event time, and all of the oldest time among them: of equals the names of
    their series decide, which only come with the answer. As a point that was judged is never taken back, what once was
    too old stays so.
    """

    def __init__(self, keep: int) -> None:
        self._keep = max(1, keep)
        self._state: PartitionState | None = None
        self._kept: dict[int, NDArray[np.void]] = {}
        self._waiting: list[NDArray[np.void]] = []
        self._count = 0

    def follow(self, state: PartitionState) -> None:
        """Be told of the evaluations in `state`: at first, and after each rule set that takes effect."""
        if state is self._state:
            return
        before, self._state = self._state, state
        if before is not None:
            self._move(before, state)
        trace(state, self)

    def judged(self, rows: NDArray[np.void]) -> None:
        """See `Trace`."""
        self._waiting.append(self._rows(rows))
        self._count += len(rows)
        if self._count > _WAITING_MAX:
            self._settle()

    def judged_again(self, slot: int, rows: NDArray[np.void], *, more: bool) -> None:
        """See `Trace`. Of raw points that are not final so many are the last ones: two may have one time, and one of
        them be final.
        """
        self._settle()
        raw = self._plan.views[int(self._state_now.tables.slots[slot]["view_row"])]["kind"] == RAW
        again = self._rows(rows)
        for rule in np.unique(again["rule"]).tolist():
            mine, kept = again[again["rule"] == rule], self._kept.get(rule, _NONE)
            own = np.flatnonzero(kept["series"] == mine["series"][0])
            own = own[np.argsort(kept["time"][own], kind="stable")]
            if raw:
                gone = own[max(0, len(own) - (len(mine) - int(more))) :]
            else:
                gone = own[kept["time"][own] >= mine["time"].min()]
            self._kept[rule] = np.delete(kept, gone)
        self._waiting.append(again)

    def of(self, rule: str) -> Iterator[Dated]:
        """The last of a rule, as many as are kept."""
        self._settle()
        for rule_row, rows in self._kept.items():
            if self._plan.rule_of[rule_row].id == rule:
                yield from self._dated(rows)

    @property
    def _state_now(self) -> PartitionState:
        if self._state is None:
            raise LookupError("no partition is followed")
        return self._state

    @property
    def _plan(self) -> Plan:
        return self._state_now.plan

    def _rows(self, results: NDArray[np.void]) -> NDArray[np.void]:
        tables = self._state_now.tables
        rows = np.empty(len(results), _ROW)
        rows["rule"] = tables.instances["rule"][results["instance"]]
        rows["series"] = tables.slots["series"][results["slot"]]
        for name in _SAME:
            rows[name] = results[name]
        return rows

    def _settle(self) -> None:
        """Put what waits with the others of its rules, and let go of what is too old."""
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting)
        self._waiting.clear()
        self._count = 0
        for rule in np.unique(rows["rule"]).tolist():
            all_of_them = np.concatenate([self._kept.get(rule, _NONE), rows[rows["rule"] == rule]])
            past = len(all_of_them) - self._keep
            if past > 0:
                oldest = np.partition(all_of_them["time"], past)[past]
                all_of_them = all_of_them[all_of_them["time"] >= oldest]
            self._kept[rule] = all_of_them

    def _dated(self, rows: NDArray[np.void]) -> list[Dated]:
        names = {row: self._state_now.series[row].key for row in np.unique(rows["series"]).tolist()}
        keys = zip((-rows["time"]).tolist(), [names[row] for row in rows["series"].tolist()], strict=True)
        ordered = sorted((time, series, -place) for place, (time, series) in enumerate(keys))
        return [
            Dated(-time, series, -place, _told(series, rows[-place])) for time, series, place in ordered[: self._keep]
        ]

    def _move(self, before: PartitionState, after: PartitionState) -> None:
        """Another rule set: a rule that is no longer what it was begins anew, the others may stand elsewhere."""
        self._state = before
        self._settle()
        self._state = after
        places = {name: row for row, name in enumerate(_names(after.plan))}
        names, kept = _names(before.plan), self._kept
        self._kept = {}
        for rule, rows in kept.items():
            if names[rule] in places:
                keys = {row: before.series[row].key for row in np.unique(rows["series"]).tolist()}
                found = {row: after.series.find(key.encode()) for row, key in keys.items()}
                moved = rows.copy()
                moved["rule"] = places[names[rule]]
                moved["series"] = [found[row] for row in rows["series"].tolist()]
                self._kept[places[names[rule]]] = moved[moved["series"] != ABSENT]


def _told(series: str, row: Any) -> Evaluation:
    return Evaluation(
        time=format_time(int(row["time"])),
        series=series,
        state=STATES[int(row["phase"])],
        outcome=_OUTCOMES[int(row["outcome"])],
        value=number_of(row["value"]),
        statistic=number_of(row["statistic"]),
        limit=number_of(row["limit"]),
        usual=number_of(row["baseline"]),
    )


def _names(plan: Plan) -> list[tuple[object, ...]]:
    """What tells each row of the rules from others: as a state that goes over to another plan knows them."""
    kpis = plan.rule_set.kpis
    return [
        (kpis[int(plan.views[row["view"]]["kpi"])].id, plan.view_keys[int(row["view"])], rule.fingerprint)
        for row, rule in zip(plan.rules, plan.rule_of, strict=True)
    ]
