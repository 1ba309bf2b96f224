"""Times and spans of time in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import DAY, HOUR, MINUTE, SECOND, Micros, format_time, parse_own_time

if TYPE_CHECKING:
    from engine.rules.resolved.timing import Due, Window
    from engine.rules.ruleset import RuleSet


def due_words(due: Due) -> str:
    """`2 days`, `4 hours of working time`, `2 working days`."""
    if due.days:
        return f"{due.days} working day{'' if due.days == 1 else 's'} of the calendar {due.calendar}"
    return duration(due.micros) + ("" if due.calendar is None else f" of working time in the calendar {due.calendar}")


def duration(time: Micros) -> str:
    """`2 days`, `90 s`: in the largest unit that divides it."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if time % size == 0 and time:
            return f"{time // size} {name}{'' if time == size else 's'}"
    return f"{time / SECOND:g} s"


def window_named(start: str, end: str, window: Window, rules: RuleSet, *, over: bool = False) -> str:
    """`on 2013-02-08` for a calendar day, `in the month up to 2024-06-12` for one that begins with its month, `over the
    7 days to 2024-06-30` for several, else start and end in UTC.
    """
    if window.zone is None:
        return f"over {start} to {end}" if over else f"from {start} to {end}"
    first = local_date(parse_own_time(start), window.zone, rules)
    last = local_date(parse_own_time(end) - 1, window.zone, rules)
    if window.since is not None and not over:
        return f"in the {window.since} up to {last}"
    if first == last:
        return f"on {first}"
    days = round((parse_own_time(end) - parse_own_time(start)) / DAY)
    return f"over the {days} days to {last}"


def local_date(time: Micros, zone: str, rules: RuleSet) -> str:
    """The calendar date of a time in a zone of the rule set."""
    return format_time(time + offset_at(time, zone, rules))[:10]


def offset_at(time: Micros, zone: str, rules: RuleSet) -> Micros:
    """How far local time is ahead of UTC."""
    offset = 0
    for transition in rules.zones.get(zone, ()):
        if transition.start > time:
            break
        offset = transition.offset
    return offset
