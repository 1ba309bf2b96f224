"""`at_least` and `warm_up`, slow and obvious: what is so of each window is counted anew among all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def often(
    states: Mapping[int, str], came: Collection[int], at_least: tuple[int, int] | None, warm_up: int
) -> dict[int, str]:
    """By window whether it holds of enough of the last; of the first in which the rule's own KPI `came` nothing is."""
    first = sorted(came)[:warm_up]
    known = [index for index in sorted(states) if states[index] in ("on", "off") and index not in first]
    m, of = at_least or (1, 1)
    found = {}
    for place, index in enumerate(known):
        last = known[: place + 1][-of:]
        found[index] = "on" if [states[each] for each in last].count("on") >= m else "off"
    return found
