"""Every time in a trigger, as this engine writes times: what follows from them can only be recomputed then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.model.time import format_time, parse_own_time
from engine.offline.explain.account import Check, Line, Step, holds
from engine.offline.explain.leaves import join

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMES = frozenset(
    {
        *("time", "opened", "due", "event_time", "first_event_time", "opened_event_time", "start", "end"),
        *("last_time", "last_seen", "waited_since", "tick_time", "onset", "alarm", "since"),
        *("snoozed_until", "at"),
    }
)
_OF_EPISODES = frozenset({"first", "last"})


def times_step(event: dict[str, Any]) -> Step | None:
    """None when all of them are such times."""
    wrong = tuple(check for check in _checks(event, "") if not check.holds)
    return Step("The times", (Line("times", "not all of them are times", wrong),)) if wrong else None


def _checks(node: Any, path: str) -> Iterator[Check]:
    if path == "data.excerpt":
        return
    if isinstance(node, list):
        for place, each in enumerate(node):
            yield from _checks(each, f"{path}[{place}]")
    if not isinstance(node, dict):
        return
    for name, each in node.items():
        where = join(path, name)
        if isinstance(each, str) and (name in _TIMES or (path == "data.episode" and name in _OF_EPISODES)):
            yield holds(where, each, true=_is_time(each), why="a time as this engine writes it, such as ...T05:00:00Z")
        else:
            yield from _checks(each, where)


def _is_time(text: str) -> bool:
    try:
        return format_time(parse_own_time(text)) == text
    except (ValueError, TypeError, OverflowError):
        return False
