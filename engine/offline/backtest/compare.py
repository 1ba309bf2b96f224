"""Two runs over the same files: the reviews that only one of them has, and those that both have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.offline.backtest.tally import ReviewLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Identity = tuple[str, str, str]


class RuleChange(msgspec.Struct, frozen=True):
    """How many reviews of one rule the other rules no longer have, have as well, and have anew."""

    rule: str
    removed: int
    kept: int
    added: int


class Comparison(msgspec.Struct, frozen=True):
    """What a change of rules does. A review is the same in both when rule, scope and the event time that it opened with
    are; one that was withdrawn in the end is none.
    """

    rules: tuple[RuleChange, ...]
    removed: tuple[ReviewLine, ...]
    kept: tuple[ReviewLine, ...]
    added: tuple[ReviewLine, ...]


def compare(before: Iterable[ReviewLine], after: Iterable[ReviewLine]) -> Comparison:
    """From the reviews of one run to those of the other."""
    old, new = _standing(before), _standing(after)
    removed = _lines(old, old.keys() - new.keys())
    kept = _lines(new, old.keys() & new.keys())
    added = _lines(new, new.keys() - old.keys())
    rules = sorted({line.rule for line in (*removed, *kept, *added)})
    return Comparison(
        rules=tuple(RuleChange(rule, *(_count(rule, lines) for lines in (removed, kept, added))) for rule in rules),
        removed=removed,
        kept=kept,
        added=added,
    )


def _standing(lines: Iterable[ReviewLine]) -> dict[Identity, ReviewLine]:
    return {line.identity: line for line in lines if not line.withdrawn}


def _lines(lines: Mapping[Identity, ReviewLine], wanted: Iterable[Identity]) -> tuple[ReviewLine, ...]:
    """In the order of time."""
    return tuple(lines[identity] for identity in sorted(wanted, key=lambda each: (each[2], each[0], each[1])))


def _count(rule: str, lines: Iterable[ReviewLine]) -> int:
    return sum(line.rule == rule for line in lines)
