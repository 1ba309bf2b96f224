"""Leaves of JSON by path, and where two documents differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = "(absent)"


class Difference(NamedTuple):
    """A leaf, or a whole branch that only one side has (then the other is ABSENT)."""

    path: str
    one: Any
    other: Any


def differences(one: Any, other: Any, path: str = "") -> Iterator[Difference]:
    """Where two values that were decoded from JSON differ: by value, type or presence; in order of `one`."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), join(path, name))
    elif isinstance(one, list) and isinstance(other, list):
        for place in range(max(len(one), len(other))):
            first, second = (each[place] if place < len(each) else ABSENT for each in (one, other))
            yield from differences(first, second, f"{path}[{place}]")
    elif type(one) is not type(other) or one != other:
        yield Difference(path, one, other)


def join(path: str, name: str) -> str:
    """`data.evidence` and `point` give `data.evidence.point`."""
    return f"{path}.{name}" if path else name
