"""How a column writes its times: RFC 3339, local times, dates alone, or numbers since the epoch."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.errors import WireError
from engine.model.time import SECOND, Micros
from engine.wire.times import parse_local, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

Format = Literal["rfc3339", "local", "date", "s", "ms", "us", "ns"]
FORMATS: tuple[Format, ...] = ("rfc3339", "local", "date", "s", "ms", "us", "ns")

LOOKED_AT = 500
"""So many values of a column decide which format is meant; the others are held against that one."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_SINCE_2000, _UNTIL_2100 = 946_684_800, 4_102_444_800
"""A number is taken for a time only if it lies in this century."""

DESCRIBED: dict[Format, str] = {
    "rfc3339": "times with an offset",
    "local": "local times without an offset",
    "date": "dates alone",
    "s": "seconds since the epoch",
    "ms": "milliseconds since the epoch",
    "us": "microseconds since the epoch",
    "ns": "nanoseconds since the epoch",
}


class Reading(NamedTuple):
    """A format that most values of a column have: how many, and the first (row, value) that has another."""

    format: Format
    fit: int
    odd: tuple[int, object] | None

    @property
    def needs_zone(self) -> bool:
        """Whether somebody must say whose clock it is."""
        return self.format in ("local", "date")


def reading_of(values: Sequence[tuple[int, object]]) -> Reading | None:
    """The format that fits most of the (row, value) pairs; None when none fits more than half of the first of them."""
    first = values[:LOOKED_AT]
    best = max((_fitted(first, each) for each in FORMATS), key=lambda reading: reading.fit)
    if best.fit * 2 <= len(first):
        return None
    return best if len(first) == len(values) else _fitted(values, best.format)


def _fitted(values: Sequence[tuple[int, object]], written: Format) -> Reading:
    fit, odd = 0, None
    for place, value in values:
        if micros_of(value, written) is not None:
            fit += 1
        elif odd is None:
            odd = (place, value)
    return Reading(written, fit, odd)


def micros_of(value: object, written: Format) -> Micros | None:
    """The time in microseconds, a local one as if it were UTC; None when it is not written so."""
    if isinstance(value, date):
        value = value.isoformat()
    if written in _PER_SECOND:
        return _of_number(value, _PER_SECOND[written])
    if not isinstance(value, str):
        return None
    try:
        if written == "rfc3339":
            return parse_time(value)
        if written == "date":
            return parse_local(f"{value}T00:00:00") if _DATE.fullmatch(value) else None
        return parse_local(value)
    except WireError:
        return None


def _of_number(value: object, per_second: int) -> Micros | None:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    seconds = number / per_second
    return round(seconds * SECOND) if _SINCE_2000 <= seconds < _UNTIL_2100 else None


def nearly_a_time(value: object) -> str | None:
    """How a value that is no time might be mended into one, or None."""
    if not isinstance(value, str):
        return None
    if re.match(r"\d{1,2}[./]\d{1,2}[./]\d{2,4}", value):
        return "write dates as 2026-01-31"
    if re.fullmatch(r"(19|20)\d{6}", value):
        return "write dates as 2026-01-31"
    if re.match(r"\d{4}[./]\d\d[./]\d\d", value) or re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d$", value):
        return "write times as 2026-01-31 13:00:00"
    return None
