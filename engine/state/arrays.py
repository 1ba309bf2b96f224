"""Tables that grow: structured arrays with room to spare, doubled when it is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.kernels import layout
from engine.kernels.layout import COUNTERS, SERIES_A_BLOCK, Tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.rules.compiler import Plan

_GROWING = ("series", "slots", "cells", "points", "instances", "history")
_DTYPES: dict[str, np.dtype[Any]] = {
    "series": layout.SERIES,
    "slots": layout.SLOT,
    "cells": layout.CELL,
    "points": layout.POINT,
    "instances": layout.INSTANCE,
    "history": np.dtype(np.float64),
}
_ROOM = 64
_RESULTS_MIN = 256


class Arrays:
    """The arrays of one partition and how much of each is used; `tables` is what kernels take."""

    def __init__(self, plan: Plan) -> None:
        self.used = dict.fromkeys(_GROWING, 0)
        results = max(_RESULTS_MIN, 2 * plan.reserve)
        evidence = max(_RESULTS_MIN, 2 * plan.evidence_reserve)
        deepest = max([int(row["count"]) for row in plan.rules], default=0)
        self.tables = Tables(
            kpis=plan.kpis,
            views=plan.views,
            rules=plan.rules,
            calendars=plan.calendars,
            **_empty(),
            base=np.zeros(_ROOM, layout.INSTANCE),
            ids=np.zeros(_ROOM, layout.ID),
            places=np.zeros(2 * _ROOM, np.int32),
            results=np.zeros(results, layout.RESULT),
            evidence_index=np.zeros(evidence, np.int64),
            evidence_value=np.zeros(evidence, np.float64),
            dirty=np.zeros(1, np.uint8),
            counters=np.zeros(COUNTERS, np.int64),
            scratch=np.zeros(deepest + 1, np.float64),
        )

    def take(self, name: str, count: int) -> int:
        """Reserve `count` rows at the end of table `name`; returns the first."""
        first = self.used[name]
        self.used[name] = first + count
        array: NDArray[np.void] = getattr(self.tables, name)
        if first + count > len(array):
            self._grow(name, first + count)
        return first

    def _grow(self, name: str, needed: int) -> None:
        array = getattr(self.tables, name)
        room = max(2 * len(array), needed)
        changed: dict[str, NDArray[Any]] = {name: enlarged(array, room)}
        if name == "instances":
            changed["base"] = enlarged(self.tables.base, room)
        if name == "series":
            changed["dirty"] = enlarged(self.tables.dirty, -(-room // SERIES_A_BLOCK))
        self.tables = self.tables._replace(**changed)

    def replace_ids(self, ids: NDArray[np.void], places: NDArray[np.int32], count: int) -> None:
        """Put another ledger in the place of the present one."""
        self.tables = self.tables._replace(ids=ids, places=places)
        self.tables.counters[layout.LEDGER] = count


def _empty() -> dict[str, NDArray[Any]]:
    return {name: np.zeros(_ROOM, _DTYPES[name]) for name in _GROWING}


def enlarged(array: NDArray[Any], room: int) -> NDArray[Any]:
    """A copy with `room` rows, the new ones zero."""
    larger = np.zeros(room, array.dtype)
    larger[: len(array)] = array
    return larger
