"""When windows begin, as findings say it."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from engine.kernels.windows import first_of, start_of
from engine.model.time import format_time

if TYPE_CHECKING:
    from engine.rules.compiler import Plan

_KEPT = 16_384


class Starts:
    """Of one plan. The last ones are remembered: many series say something of the same window."""

    def __init__(self, plan: Plan) -> None:
        self.told = lru_cache(_KEPT)(partial(_told, plan))
        """When window `index` of the view in row `view_row` begins."""


def _told(plan: Plan, view_row: int, index: int) -> str:
    view = plan.views[view_row]
    first = int(first_of(view, plan.periods, index))
    return format_time(int(start_of(view, plan.calendars, first)))
