"""Maintenance as it runs: stretches of local time in which what begins to fire is expected."""

from __future__ import annotations

import msgspec

from engine.model.time import Micros
from engine.rules.resolved.timing import Calendar


class Dates(msgspec.Struct, frozen=True):
    """Dates on one of these `weekdays` (Monday 0), where `nth` is not zero the nth of its month (-1: the last); without
    weekdays the nth day of the month; `on`: this date alone.
    """

    weekdays: tuple[int, ...] = ()
    nth: int = 0
    on: str | None = None


class Maintenance(msgspec.Struct, frozen=True):
    """Every instant whose wall clock in `zone` lies from `begin` up to `end` after the midnight of one of `dates` that
    is neither before `since` nor after `until` (dates, both included); `end` may lie on the next day. With a `calendar`
    every instant outside its hours instead.
    """

    reason: str
    zone: str
    dates: tuple[Dates, ...] = ()
    begin: Micros = 0
    end: Micros = 0
    since: str | None = None
    until: str | None = None
    calendar: Calendar | None = None
