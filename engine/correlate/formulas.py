"""KPIs with a formula: their values are worked out from the shares of other KPIs, window by window.

A ratio is one of sums: each KPI of a formula is merged over all series of a scope first, and so are the windows of
those that come late. What comes out goes back to where measurements come from, and rules see nothing special in it.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.correlate.judge import aggregate
from engine.correlate.rings import Ring
from engine.correlate.terms import Term
from engine.model.identity import digest_of
from engine.model.outputs import Input
from engine.model.records import JoinRecord, WindowBounds
from engine.model.time import Micros
from engine.rules.resolved.catalogue import derived_rule_id, formula_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.correlate.barrier import Barrier, Joinable
    from engine.rules.resolved.catalogue import Kpi
    from engine.rules.ruleset import RuleSet

Key = tuple[str, str]
"""(rule, scope): the rule is the formula's name as a correlation."""

_WINDOWS_MAX: Final = 1_000
"""So many windows of a KPI wait for those of the others; the oldest go first."""


class Derived(NamedTuple):
    """A value that was worked out, at the barrier of time `at`; a higher `revision` restates it."""

    kpi: str
    dimensions: dict[str, str]
    window: WindowBounds
    value: float
    revision: int
    inputs: tuple[Input, ...]
    at: Micros


class Told(msgspec.Struct, frozen=True):
    """What was said of a window last."""

    value: float
    revision: int


class Working(msgspec.Struct):
    """What is kept of one formula in one scope. `told` by window index; nothing below `floor` is taken any more.

    `fingerprint` is of the formula that it was made by.
    """

    fingerprint: str
    rings: dict[str, Ring] = {}
    told: dict[int, Told] = {}
    floor: int | None = None
    wake: Micros | None = None


class Formulas:
    """The formulas of one findings partition under one rule set at a time.

    `dirty` names what changed since it was last cleared. `counts` is no part of the state.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.workings: dict[Key, Working] = {}
        self.dirty: set[Key] = set()
        self.counts: dict[str, int] = {}
        self._wakes: list[tuple[Micros, Key]] = []
        self._use(rules)

    def _use(self, rules: RuleSet) -> None:
        derived = [kpi for kpi in rules.kpis if formula_in(kpi) is not None]
        self._formulas = {derived_rule_id(kpi.id): _Formula(kpi, rules.kpi_by_id, self._count) for kpi in derived}

    def advance(self, barrier: Barrier) -> tuple[list[Derived], Barrier]:
        """Take the shares of a barrier and what its time makes due; values by KPI, scope and window, and the barrier
        with what is left of it. A share of a formula that is gone is nobody's, and left.
        """
        if not self._formulas:
            return [], barrier
        shares: dict[Key, list[JoinRecord]] = {}
        left: list[Joinable] = []
        for record in barrier.records:
            if isinstance(record, JoinRecord) and record.correlation in self._formulas:
                shares.setdefault((record.correlation, record.scope), []).append(record)
            else:
                left.append(record)
        while self._wakes and self._wakes[0][0] <= barrier.time:
            _, key = heapq.heappop(self._wakes)
            if key in self.workings:
                shares.setdefault(key, [])
        found = [value for key in sorted(shares) for value in self._advance(key, shares[key], barrier.time)]
        return found, barrier._replace(records=left)

    def _advance(self, key: Key, shares: list[JoinRecord], time: Micros) -> list[Derived]:
        formula = self._formulas[key[0]]
        working = self.workings.setdefault(key, Working(formula.fingerprint))
        found = formula.advance(working, key[1], shares, time)
        self._count("formulas_worked_out", len(found))
        self.dirty.add(key)
        self._wake(key, working)
        return found

    def _wake(self, key: Key, working: Working) -> None:
        wake = self._formulas[key[0]].wake(working)
        if wake is not None and wake != working.wake:
            heapq.heappush(self._wakes, (wake, key))
        working.wake = wake

    def activate(self, rules: RuleSet) -> None:
        """Go over to another rule set: what was kept for formulas that are gone or changed is dropped."""
        self._use(rules)
        for key in sorted(self.workings):
            formula = self._formulas.get(key[0])
            if formula is None or formula.fingerprint != self.workings[key].fingerprint:
                del self.workings[key]
                self.dirty.add(key)

    def restore(self, rules: RuleSet, workings: Mapping[Key, Working]) -> None:
        """Become what was written under that rule set."""
        self._use(rules)
        self.workings = dict(workings)
        self.dirty.clear()
        self._wakes = [(each.wake, key) for key, each in self.workings.items() if each.wake is not None]
        heapq.heapify(self._wakes)

    def _count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by


class _Formula:
    """One of them, ready to be worked out. It keeps no state of its own."""

    def __init__(self, kpi: Kpi, kpis: Mapping[str, Kpi], count: Callable[[str], None]) -> None:
        self.kpi = kpi
        self._count = count
        self.term = Term(kpi, kpis)
        self.kept = kpi.grace // kpi.window.step
        self.fingerprint = digest_of((formula_in(kpi), kpi.window, kpi.dimensions, self.term.rolled))

    def advance(self, working: Working, scope: str, shares: Iterable[JoinRecord], time: Micros) -> list[Derived]:
        """Take shares of a scope; what is to be said of the windows that they touch, in order."""
        held = self._held(working)
        touched: set[int] = set()
        for share in shares:
            touched |= self._take(working, share, time)
        for ring in working.rings.values():
            touched.update(ring.settle(time, self.kpi.idle, 1))
            if held is not None:
                touched.update(index for index in ring.windows if index >= held)
        dimensions = msgspec.json.decode(scope, type=dict[str, str])
        found = []
        held = self._held(working)
        for index in sorted(index for index in touched if held is None or index < held):
            value = self._derived(working, index, dimensions, time)
            if value is not None:
                working.told[index] = Told(value.value, value.revision)
                found.append(value)
        self._forget(working)
        return found

    def _held(self, working: Working) -> int | None:
        """The first window that is not told yet: of a backlog one so far behind a window that still waits for a series
        that nothing would take that one any more. None: none is held back.
        """
        waiting = _waiting(working)
        return min(waiting) + self.kept if waiting else None

    def _take(self, working: Working, share: JoinRecord, time: Micros) -> set[int]:
        index = share.window.index
        if working.floor is not None and index < working.floor:
            self._count("shares_late")
            return set()
        ring = working.rings.setdefault(share.kpi, Ring(share.kpi, index))
        return {index} if ring.put(share, time) else set()

    def _derived(self, working: Working, index: int, dimensions: dict[str, str], time: Micros) -> Derived | None:
        """What is to be said of a window; None while a KPI of it has not come, and where nothing has changed."""
        inputs = self._inputs(working, index)
        if inputs is None:
            return None
        value = self.term.value({each.kpi: each.value for each in inputs})
        if value is None:
            self._count("formulas_without_value")
            return None
        told = working.told.get(index)
        if told is not None and told.value == value:
            return None
        window = working.rings[inputs[0].kpi].windows[index].bounds
        revision = 0 if told is None else told.revision + 1
        return Derived(self.kpi.id, dimensions, window, value, revision, inputs, time)

    def _inputs(self, working: Working, index: int) -> tuple[Input, ...] | None:
        found = []
        for name, aggregation in self.term.rolled.items():
            ring = working.rings.get(name)
            window = None if ring is None else ring.windows.get(index)
            if window is None or not window.ready:
                return None
            parts = [share.parts for share in window.shares.values()]
            value = aggregate(parts, aggregation, [window.bounds])
            if value is None:
                return None
            found.append(Input(name, value, sum(each.count for each in parts), len(parts)))
        return tuple(found)

    def _forget(self, working: Working) -> None:
        """Drop the windows that the rules on this KPI would not take back any more, and those that nobody waits for."""
        floors = [min([max(working.told) - self.kept, *_waiting(working)])] if working.told else []
        floors += [max(ring.windows) - _WINDOWS_MAX for ring in working.rings.values() if ring.windows]
        floor = max(floors, default=None)
        if floor is None or (working.floor is not None and floor <= working.floor):
            return
        working.floor = floor
        for index in [index for index in working.told if index < floor]:
            del working.told[index]
        for ring in working.rings.values():
            ring.forget(floor)

    def wake(self, working: Working) -> Micros | None:
        """When a window may be worked out at the latest; None when nothing waits."""
        times = [ring.wake(self.kpi.idle) for ring in working.rings.values()]
        return min((time for time in times if time is not None), default=None)


def _waiting(working: Working) -> list[int]:
    """The windows that wait for a series."""
    return [index for ring in working.rings.values() for index in ring.unready]
