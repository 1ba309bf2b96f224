"""What each column of a sample holds: numbers, text, times; how many different values; where it is not of one kind."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.client.rows import NO_VALUE
from engine.propose.times import Reading, reading_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.propose.sample import Row, Sample

Kind = Literal["number", "text", "mixed"]

_WITH_COMMAS = re.compile(r"-?\d{1,3}([.,' ]\d{3})*,\d+|-?\d+,\d+|-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)

MOSTLY = 0.9
"""A column of which so many values are numbers was meant to be one of numbers."""


class Column(NamedTuple):
    """One column. `present` counts values that are not empty, `distinct` the different ones among them.

    `kind` is `mixed` when most values are numbers and `odd`, the first (row, value) that is none, is not. `reading` is
    the way most of its values are written as times.
    """

    name: str
    kind: Kind
    present: int
    distinct: int
    examples: tuple[str, ...]
    odd: tuple[int, object] | None
    reading: Reading | None

    @property
    def words(self) -> list[str]:
        """The words of the name's last part, in small letters: `payment.durationMs` is duration and ms."""
        return words_of(self.name)


def words_of(name: str) -> list[str]:
    """`first_answer_min` as first, answer, min; `payment.durationMs` as duration, ms."""
    last = name.rpartition(".")[2].partition("[")[0] or name
    spaced = "".join(
        f" {letter}" if letter.isupper() and not last[place - 1 : place].isupper() else letter
        for place, letter in enumerate(last)
    )
    return "".join(letter if letter.isalnum() else " " for letter in spaced).lower().split()


def columns_of(sample: Sample) -> list[Column]:
    """Every column, in order of first appearance."""
    held: dict[str, list[tuple[int, object]]] = {}
    for place, row in enumerate(sample.rows, 1):
        for name, value in row.items():
            held.setdefault(name, []).append((place, value))
    return [_column(name, values) for name, values in held.items()]


def _column(name: str, values: Sequence[tuple[int, object]]) -> Column:
    held = [(place, value) for place, value in values if not _is_none(value)]
    others = [(place, value) for place, value in held if number_of(value) is None]
    commas = sum(has_commas(value) for _, value in others)
    kind: Kind = "text"
    if held and len(held) - len(others) + commas >= MOSTLY * len(held):
        kind = "mixed" if others else "number"
    different = dict.fromkeys(shown(value) for _, value in values)
    return Column(
        name=name,
        kind=kind,
        present=len(values),
        distinct=len(different),
        examples=tuple(list(different)[:5]),
        odd=others[0] if kind == "mixed" else None,
        reading=reading_of(values),
    )


def _is_none(value: object) -> bool:
    return isinstance(value, str) and value in NO_VALUE


def number_of(value: object) -> float | None:
    """The number that a cell holds, written as one or as text; None for anything else."""
    try:
        number = float(value) if isinstance(value, str) and "_" not in value else value
    except ValueError:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        return None
    return float(number)


def has_commas(value: object) -> bool:
    """Whether a cell holds a number as many countries write it, and no program here reads it: `12,5` or `1.234,50`."""
    return isinstance(value, str) and _WITH_COMMAS.fullmatch(value) is not None


def shown(value: object) -> str:
    """A value as a dimension would carry it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def numbers_in(rows: Sequence[Row], name: str) -> Iterator[tuple[int, float]]:
    """The (row, number) pairs of a column, rows counted from 0."""
    for place, row in enumerate(rows):
        number = number_of(row.get(name))
        if number is not None:
            yield place, number
