"""Event time: integer microseconds since 1970-01-01T00:00:00Z inside, RFC 3339 outside.

Nothing here reads a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

Micros = int
"""Microseconds: since the epoch for a point in time, plain for a duration."""

MILLISECOND: Micros = 1_000
SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR
NEVER: Micros = -(2**62)
"""Before every time that can be written: the value of a time not yet known."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)
_DAY_SECONDS = DAY // SECOND


@lru_cache(maxsize=16_384)
def format_time(time: Micros) -> str:
    """RFC 3339 in UTC with as many digits as needed: `2013-02-08T05:00:00Z`, `...00.25Z`.

    The last ones are remembered: many series say something of the same window.
    """
    seconds, micros = divmod(time, SECOND)
    day, second = divmod(seconds, _DAY_SECONDS)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{_date(day)}T{hour:02d}:{minute:02d}:{second:02d}{fraction}Z"


@lru_cache(maxsize=1_024)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=16_384)
def parse_own_time(text: str) -> Micros:
    """The inverse of `format_time`, for times that this engine wrote itself; the last ones are remembered as well.

    Times from outside go through `wire.decode`, which names what is wrong with them.
    """
    return (datetime.fromisoformat(text) - _EPOCH) // _STEP


def from_datetime(moment: datetime) -> Micros:
    """Microseconds of an aware datetime; TypeError for a naive one."""
    return (moment - _EPOCH) // _STEP


EARLIEST: Micros = from_datetime(datetime(1990, 1, 2, tzinfo=UTC))
LATEST: Micros = from_datetime(datetime(2059, 12, 30, tzinfo=UTC))
"""Event times outside are refused: calendars are laid out from 1990 to 2060."""
