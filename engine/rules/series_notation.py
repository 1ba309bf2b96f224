"""The short notation of a series in rule tests: `1 2 3x5 _ 9`.

Items stand one step apart, with spaces between:

- a number: a measurement of that value; `_`: none at that step
- `ITEMxN`: the item N times, so `3x5` is five threes and `_x2` a gap of two
- `10+2xN`, `10-2xN`: N values, each 2 more (or less) than the one before
- `(ITEM ...)`: a group, to be repeated as a whole: `(5 5 5 5 5 1 1)x8` is eight weeks of days

Promtool's notation reads alike but for `AxN`, which there gives N + 1 values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES_MAX = 100_000
"""So many steps a series may have in a test."""

_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(
    rf"(?P<open>\()|(?P<close>\))(?:x(?P<again>[1-9]\d*))?"
    rf"|(?P<number>{_NUMBER})(?:(?P<step>[+-](?:\d+\.?\d*|\.\d+))?x(?P<times>[1-9]\d*))?"
    r"|(?P<gap>_)(?:x(?P<gaps>[1-9]\d*))?"
)
_END = re.compile(r"\s+|(?=[()])|$")

Values = tuple[float | None, ...]


def parse_values(text: str) -> Values:
    """A value a step, None where nothing is measured; ValueError names what cannot be read."""
    groups: list[list[float | None]] = [[]]
    for match in _tokens(text):
        if match["open"]:
            groups.append([])
            continue
        if match["close"]:
            if len(groups) == 1:
                raise ValueError("a `)` without its `(`")
            items = groups.pop()
            times = int(match["again"] or 1)
        else:
            items, times = _item(match)
        _add(groups[-1], items, times)
    if len(groups) > 1:
        raise ValueError("a `(` without its `)`")
    if not groups[0]:
        raise ValueError("no value")
    return tuple(groups[0])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position = len(text) - len(text.lstrip())
    while position < len(text):
        match = _TOKEN.match(text, position)
        end = _END.match(text, match.end()) if match else None
        if match is None or (end is None and not match["open"]):
            raise ValueError(f"`{text[position:].split(maxsplit=1)[0][:40]}`")
        yield match
        position = end.end() if end else match.end()


def _item(match: re.Match[str]) -> tuple[list[float | None], int]:
    """What is repeated, and how often."""
    if match["gap"]:
        return [None], int(match["gaps"] or 1)
    first, times = float(match["number"]), int(match["times"] or 1)
    if match["step"] is None:
        return [first], times
    if times > VALUES_MAX:
        raise ValueError(f"{times} values")
    return [first + number * float(match["step"]) for number in range(times)], 1


def _add(group: list[float | None], items: list[float | None], times: int) -> None:
    if len(group) + len(items) * times > VALUES_MAX:
        raise ValueError(f"more than {VALUES_MAX} values")
    group.extend(items * times)
