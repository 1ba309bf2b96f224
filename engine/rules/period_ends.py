"""Whether a moment is near the end of a reporting period: a month, quarter or year of the calendar, in local time."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from engine.model.time import DAY, Micros
from engine.rules.due import date_of, local_offset, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.rules.resolved.timing import ReportingPeriod, ZoneTransition

MONTHS: Final[dict[ReportingPeriod, int]] = {"month": 1, "quarter": 3, "year": 12}
_YEAR = 12


def is_near_end(moment: Micros, period: ReportingPeriod, near: Micros, zone: Sequence[ZoneTransition]) -> bool:
    """Whether at most `near` is left of the period that `moment` lies in, by the local clock (UTC without a `zone`)."""
    local = moment + local_offset(moment, zone)
    return local >= _next_begin(local // DAY, MONTHS[period]) * DAY - near


def _next_begin(day: int, months: int) -> int:
    """The first day of the next period; days count from 1970-01-01."""
    today = date_of(day)
    following = ((today.year * _YEAR + today.month - 1) // months + 1) * months
    return number_of(date(following // _YEAR, following % _YEAR + 1, 1))
