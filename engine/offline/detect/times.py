"""The times of rows as people write them: ISO 8601 down to the month, numbers since the epoch, or plain numbers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from math import isfinite
from typing import NamedTuple

from engine.errors import WireError
from engine.model.time import SECOND, from_datetime

_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)
_EPOCH_FROM = 1e8
"""Numbers from here on are times since 1970 (in seconds, March 1973); smaller ones are only numbers: years, or rows."""
_UNITS = ((1e11, SECOND), (1e14, SECOND / 10**3), (1e17, SECOND / 10**6))
_NANOSECONDS = SECOND / 10**9


class Place(NamedTuple):
    """Where a row stands: microseconds since 1970 (`is_time`; without an offset it is UTC), or the number written."""

    at: float
    is_time: bool


def place_of(written: object) -> Place:
    """The place of a cell; WireError `bad_time` when it holds none."""
    if isinstance(written, date):
        written = written.isoformat()
    number = _number(written)
    if number is not None:
        return _of_number(number)
    if isinstance(written, str):
        text = f"{written}-01" if _MONTH.fullmatch(written.strip()) else written.strip()
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return Place(from_datetime(time if time.tzinfo else time.replace(tzinfo=UTC)), is_time=True)
    mend = "write times as 2026-01-31T13:00:00Z, 2026-01-31 13:00:00, 2026-01-31 or 2026-01"
    raise WireError("bad_time", f"expected a time, a date or a number, found {written!r}; {mend}")


def _number(written: object) -> float | None:
    try:
        number = float(written) if isinstance(written, str | int | float) else float("nan")
    except ValueError:
        return None
    return number if isfinite(number) and not isinstance(written, bool) else None


def _of_number(number: float) -> Place:
    if abs(number) < _EPOCH_FROM:
        return Place(number, is_time=False)
    unit = next((unit for below, unit in _UNITS if abs(number) < below), _NANOSECONDS)
    return Place(round(number * unit), is_time=True)
