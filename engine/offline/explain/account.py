"""What an explanation is made of: steps of lines, and in them the comparisons that a verdict rests on."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.offline.explain.leaves import differences

Verdict = Literal["consistent", "not consistent"]

BROKEN = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, msgspec.MsgspecError)
"""What recomputing something that was changed may run into: times that are none, numbers out of every range."""


class Check(msgspec.Struct, frozen=True):
    """One comparison: the leaf or part at `path` of the event is `found`, and `expected` comes out of recomputing it.

    `why` says it in words where two values do not.
    """

    path: str
    found: Any
    expected: Any
    holds: bool
    why: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One thing to know, and what was compared for it."""

    label: str
    text: str
    checks: tuple[Check, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every comparison of this line holds."""
        return all(check.holds for check in self.checks)


class Step(msgspec.Struct, frozen=True):
    """Lines under a heading."""

    title: str
    lines: tuple[Line, ...]


def same(path: str, found: Any, expected: Any) -> Check:
    """Whether what stands at `path` is what comes out; numbers to the last bit."""
    plain_found, plain_expected = plain(found), plain(expected)
    return Check(path, plain_found, plain_expected, plain_found == plain_expected)


def alike(path: str, found: Any, expected: Any) -> tuple[Check, ...]:
    """As `same`, for objects and lists: where they differ, one comparison for each leaf that does."""
    plain_found, plain_expected = plain(found), plain(expected)
    different = tuple(
        Check(each.path, each.one, each.other, holds=False) for each in differences(plain_found, plain_expected, path)
    )
    return different or (Check(path, plain_found, plain_expected, holds=True),)


def either(one: tuple[str, Any], other: tuple[str, Any]) -> tuple[Check, Check]:
    """Two leaves that must be equal: where they are not, either may be the one that was changed."""
    return same(*one, other[1]), same(*other, one[1])


def holds(path: str, found: Any, *, true: bool, why: str) -> Check:
    """A comparison that is no equality; `why` says what was expected."""
    return Check(path, plain(found), None, bool(true), why)


def plain(value: Any) -> Any:
    """As it comes out of JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def shown(value: Any) -> str:
    """A value as it stands in JSON, every digit of a number included."""
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
