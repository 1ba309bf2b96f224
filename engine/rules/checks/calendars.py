"""Calendars in which somebody works some day, and due times that come within 400 days."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.model.time import DAY, HOUR
from engine.rules.bind_governance import bind_calendar
from engine.rules.due import DUE_WITHIN, WorkingDays, day_number
from engine.rules.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros
    from engine.rules.declared import Declarations, Declared
    from engine.rules.problems import Problem
    from engine.rules.spec import CalendarSpec
    from engine.rules.spec.due import DueIn

_WEEK = 7
_WITHIN = (DUE_WITHIN // DAY - 1) // _WEEK - 1
"""In weeks; one is left out, in which a change of the clock may swallow what was to be worked."""


class _Least(NamedTuple):
    """What is worked at least within so many weeks, whenever they begin."""

    micros: Micros
    days: int


def check_calendars(declarations: Declarations) -> Iterator[Problem]:
    """Calendars without working time, due times that no 400 days hold, and calendars that are named for nothing."""
    least = {}
    for calendar in declarations.calendars.values():
        if not calendar.has("zone", "hours", "holidays"):
            continue
        least[calendar.id] = _least(calendar)
        if least[calendar.id].days == 0:
            yield _never(calendar)
            del least[calendar.id]
    for kind in ("rule", "kpi"):
        for declared in declarations.of_kind(kind).values():
            if declared.has("review") and declared.spec.review is not None:
                yield from _review(declared, least)


def _least(declared: Declared[CalendarSpec]) -> _Least:
    calendar = bind_calendar(declared.spec)
    holidays = [day_number(holiday) for holiday in calendar.holidays]
    days = WorkingDays(calendar.week, frozenset(holidays))
    span = _WITHIN * _WEEK
    first, last = min(holidays, default=0) - span, max(holidays, default=0) + span
    worked = [sum(end - begin for begin, end in days.stretches(day)) for day in range(first, last + 1)]
    return _Least(_least_sum(worked, span), _least_sum([int(micros > 0) for micros in worked], span))


def _least_sum(values: list[int], span: int) -> int:
    sums = [0, *accumulate(values)]
    return min(end - begin for begin, end in zip(sums, sums[span:], strict=False))


def _never(calendar: Declared[CalendarSpec]) -> Problem:
    return calendar.problem(
        ("hours",),
        "no-working-time",
        expected="working time within any 400 days",
        found="none, with these hours and holidays",
        mend="add hours, or take holidays out",
    )


def _review(declared: Declared[Any], least: dict[str, _Least]) -> Iterator[Problem]:
    review = declared.spec.review
    dues: dict[str, DueIn | None] = {"due_in": review.due_in, "escalate_after": getattr(review, "escalate_after", None)}
    business = {name: due for name, due in dues.items() if due is not None and due.business}
    if review.calendar is not None and not business:
        yield _unused(declared, review.calendar)
    for name, due in business.items():
        worked = least.get(review.calendar)
        if worked is not None and (due.micros > worked.micros or due.days >= worked.days):
            yield declared.problem(
                ("review", name),
                "due-too-far",
                expected=f"a time within 400 days, which have at least {worked.days} business days and "
                f"{worked.micros // HOUR} business hours of {shown(review.calendar)}",
                found=shown(declared.data["review"][name]),
                mend="write a shorter time, or one on the clock like `500d`",
            )


def _unused(declared: Declared[Any], calendar: str) -> Problem:
    return declared.problem(
        ("review", "calendar"),
        "unused-calendar",
        expected="business time beside `calendar`",
        found=f"none that follows {shown(calendar)}",
        mend="write for instance `due_in: 4 business hours`, or leave `calendar` out",
        severity="warning",
    )
