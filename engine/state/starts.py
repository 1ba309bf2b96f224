"""When windows begin, as findings say it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from engine.kernels.windows import first_of, start_of
from engine.model.time import format_time

if TYPE_CHECKING:
    from engine.rules.compiler import Plan

_KEPT = 16_384


class Starts:
    """Of one plan. The last ones are remembered: many series say something of the same window."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.told = lru_cache(_KEPT)(self._told)
        """When window `index` of the view in row `view_row` begins."""

    def _told(self, view_row: int, index: int) -> str:
        view = self._plan.views[view_row]
        first = int(first_of(view, self._plan.periods, index))
        return format_time(int(start_of(view, self._plan.calendars, first)))
