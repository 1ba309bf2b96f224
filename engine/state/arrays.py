"""Tables that grow: structured arrays with room to spare, doubled where they lie when it is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels import layout
from engine.kernels.layout import COUNTERS, SERIES_A_BLOCK, Tables
from engine.state.memory import Memory

if TYPE_CHECKING:
    from engine.rules.compiler import Plan

_DTYPES: dict[str, np.dtype[Any]] = {
    "series": layout.SERIES,
    "slots": layout.SLOT,
    "cells": layout.CELL,
    "sketches": layout.SKETCH,
    "points": layout.POINT,
    "instances": layout.INSTANCE,
    "base": layout.INSTANCE,
    "history": np.dtype(np.float64),
    "ids": layout.ID,
    "places": np.dtype(np.uint32),
    "dirty": np.dtype(np.uint8),
}
_SPARSE = ("base",)
"""Only slots that have something to judge again write there."""
_ROOM = 64
_PLACES_AN_ID = 2
_RESULTS_MIN = 256


class Arrays:
    """The arrays of one partition and how much of each is used; `tables` is what kernels take."""

    def __init__(self, plan: Plan) -> None:
        self.used = dict.fromkeys(("series", "slots", "cells", "sketches", "points", "instances", "history"), 0)
        evidence = max(_RESULTS_MIN, 2 * plan.evidence_reserve)
        deepest = max([int(row["count"]) for row in plan.rules], default=0)
        rooms = {"places": _PLACES_AN_ID * _ROOM, "sketches": 1}
        self._memory = {
            name: Memory(dtype, rooms.get(name, _ROOM), sparse=name in _SPARSE) for name, dtype in _DTYPES.items()
        }
        self.tables = Tables(
            kpis=plan.kpis,
            views=plan.views,
            rules=plan.rules,
            calendars=plan.calendars,
            periods=plan.periods,
            **{name: memory.array for name, memory in self._memory.items()},
            **_results(plan),
            evidence_index=np.zeros(evidence, np.int64),
            evidence_value=np.zeros(evidence, np.float64),
            counters=np.zeros(COUNTERS, np.int64),
            scratch=np.zeros(max([deepest, *plan.rules["scratch"].tolist()]) + 1, np.float64),
        )

    def follow(self, plan: Plan) -> None:
        """Let kernels take another edition of the same plan, with room for what a measurement brings about by it."""
        self.tables = self.tables._replace(rules=plan.rules, **_results(plan))

    def take(self, name: str, count: int) -> int:
        """Reserve `count` rows at the end of table `name`; returns the first."""
        first = self.used[name]
        self.used[name] = needed = first + count
        self.make_room(name, needed)
        if name == "series":
            self.make_room("dirty", -(-needed // SERIES_A_BLOCK))
        elif name == "instances":
            self.make_room("base", needed)
        return first

    def make_room(self, name: str, needed: int) -> None:
        """Let table `name` have `needed` rows or more, a power of two; the new ones are zero."""
        room = len(getattr(self.tables, name))
        if needed <= room:
            return
        while room < needed:
            room *= 2
        nothing: dict[str, Any] = {name: None}
        self.tables = self.tables._replace(**nothing)  # or the former array would be in the way
        self.tables = self.tables._replace(**{name: self._memory[name].grow(room)})


def _results(plan: Plan) -> dict[str, Any]:
    """The tables that passes write into, by name."""
    room = max(_RESULTS_MIN, 2 * plan.reserve)
    sketches = room if plan.views["sketches"].any() else 1
    return {"results": np.zeros(room, layout.RESULT), "result_sketches": np.zeros(sketches, layout.SKETCH)}
