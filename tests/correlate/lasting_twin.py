"""`for` and `keep_firing_for`, slow and obvious: each alert is looked for anew among all windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def alerts(states: Mapping[int, str], wanted: int, kept: int) -> list[tuple[int, int | None]]:
    """From the window that fires to the one that ends it (None: none does), of windows that are on or off; whatever
    else a window is, it counts for nothing. `wanted`, `kept`: so many windows.
    """
    known = sorted(index for index, state in states.items() if state in ("on", "off"))
    found: list[tuple[int, int | None]] = []
    after = -1
    while True:
        fires = [index for index in known if index > after and _lasted(states, known, index, after, "on", wanted)]
        if not fires:
            return found
        ends = [index for index in known if index > fires[0] and _lasted(states, known, index, fires[0], "off", kept)]
        found.append((fires[0], ends[0] if ends else None))
        if not ends:
            return found
        after = ends[0]


def _lasted(states: Mapping[int, str], known: list[int], index: int, after: int, state: str, windows: int) -> bool:
    """Whether every window since one that lies `windows` back or further, behind `after`, is of this state."""
    begins = [first for first in known if after < first <= index - windows]
    return any(all(states[each] == state for each in known if first <= each <= index) for first in begins)
