"""When windows begin, as findings say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.kernels.windows import first_of, start_of
from engine.model.time import format_time

if TYPE_CHECKING:
    from engine.rules.compiler import Plan


def start_told(plan: Plan, view: Any, index: int) -> str:
    """When window `index` of a view begins."""
    first = int(first_of(view, plan.periods, index))
    return format_time(int(start_of(view, plan.calendars, first)))
