"""How values and choices are put into problem messages."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_LONGEST = 40
_LISTED = 12


def shown(value: object) -> str:
    """A value as a reader of the file would name it: `"abc"`, `17`, `a list of 2`, `nothing`."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_cut(value)}"'
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return _cut(str(value))


def choices(names: Iterable[str]) -> str:
    """`a, b or c`; a long list is cut."""
    listed = list(names)
    if len(listed) > _LISTED:
        return ", ".join(listed[:_LISTED]) + f" or {len(listed) - _LISTED} more"
    if len(listed) > 1:
        return ", ".join(listed[:-1]) + " or " + listed[-1]
    return "".join(listed)


def nearest(text: object, names: Collection[str]) -> str | None:
    """The one of `names` that was probably meant, or null."""
    close = get_close_matches(str(text).lower(), sorted(names), n=1, cutoff=0.6)
    return close[0] if close else None


def suggestion(text: object, names: Collection[str], otherwise: str) -> str:
    """`did you mean "x"?` where something is close enough, `otherwise` where nothing is."""
    close = nearest(text, names)
    return f'did you mean "{close}"?' if close else otherwise


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
