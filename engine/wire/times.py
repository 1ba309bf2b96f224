"""Event times from outside: RFC 3339 with an offset, or seconds since the epoch. What is wrong with one is named."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from engine.errors import WireError
from engine.model.time import HOUR, MINUTE, SECOND, Micros, from_datetime

EARLIEST: Micros = from_datetime(datetime(1900, 1, 1, tzinfo=UTC))
LATEST: Micros = from_datetime(datetime(3000, 1, 1, tzinfo=UTC))
"""Times from EARLIEST on and before LATEST are taken. Windows and calendars reach a little past an event time: without
these bounds one message could lead them past the last year that can be written."""

MILLISECONDS_FROM = 1e11
"""As seconds this is the year 5138; as milliseconds 1973."""

_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the difference of two readings of one clock)
_STEP = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_EXAMPLE = "2013-02-08T05:00:00Z or 2013-02-08T00:00:00-05:00"


def parse_time(value: str | float, path: str = "$.time") -> Micros:
    """Microseconds of an event time as it stands in a message.

    Digits below the microsecond are dropped from RFC 3339; seconds as a float are rounded to the nearest microsecond.
    WireError: `bad_time`, `naive_time`, `looks_like_milliseconds`, `time_out_of_range`.
    """
    time = _from_text(value, path) if isinstance(value, str) else _from_seconds(value, path)
    return within_range(time, value, path)


def within_range(time: Micros, written: object, path: str) -> Micros:
    """The same time; WireError `time_out_of_range` when it is not in a year from 1900 to 2999."""
    if not EARLIEST <= time < LATEST:
        raise WireError("time_out_of_range", f"expected a year from 1900 to 2999, found {written!r}", path=path)
    return time


def _from_seconds(seconds: float, path: str) -> Micros:
    if abs(seconds) > MILLISECONDS_FROM:
        raise WireError(
            "looks_like_milliseconds",
            f"expected seconds since the epoch, found {seconds!r}: this looks like milliseconds; divide by 1000",
            path=path,
        )
    return seconds * SECOND if isinstance(seconds, int) else round(seconds * SECOND)


def _from_text(text: str, path: str) -> Micros:
    match = _RFC3339.fullmatch(text)
    if not match:
        raise WireError("bad_time", f"expected RFC 3339 ({_EXAMPLE}), found {_short(text)}{_hint(text)}", path=path)
    if not match["offset"]:
        raise WireError(
            "naive_time",
            f"expected an offset or Z after the time, found {_short(text)}: whose local time is it? Write {_EXAMPLE}",
            path=path,
        )
    local = local_micros(match["date"], match["clock"], match["fraction"], text, path)
    return local - _offset(match["offset"], text, path)


def parse_local(text: str, path: str = "$.time") -> Micros:
    """Microseconds of a local time, `2013-02-08T05:00:00` or with a space for the T, read as if it were UTC.

    For foreign messages whose zone the rule set states. WireError `bad_time`, also where there is an offset after all.
    """
    match = _RFC3339.fullmatch(text.replace(" ", "T", 1))
    if not match or match["offset"]:
        raise WireError("bad_time", f"expected a local time (2013-02-08T05:00:00), found {_short(text)}", path=path)
    return local_micros(match["date"], match["clock"], match["fraction"], text, path)


def local_micros(date: str, clock: str, fraction: str | None, text: str, path: str) -> Micros:
    """Date and clock time as if they were UTC; WireError `bad_time` or `time_out_of_range`."""
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}")
    except ValueError as error:
        if date.startswith("0000"):
            raise WireError("time_out_of_range", f"there is no year 0: {_short(text)}", path=path) from error
        detail = f"{_short(text)} is no time of the calendar ({error})"
        if clock.endswith(":60"):
            detail = f"leap seconds are not taken, found {_short(text)}: write the second before or after it"
        raise WireError("bad_time", detail, path=path) from error
    return (moment - _NAIVE_EPOCH) // _STEP + int((fraction or "")[:6].ljust(6, "0"))


def _offset(offset: str, text: str, path: str) -> Micros:
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 (a clock's)
        raise WireError("bad_time", f"expected an offset below 24:00, found {_short(text)}", path=path)
    size = hours * HOUR + minutes * MINUTE
    return -size if offset[0] == "-" else size


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004 (what fits in a line)


def _hint(text: str) -> str:
    if _RFC3339.fullmatch(text.replace(" ", "T", 1)):
        return ": put a T between date and time"
    if re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
        return ": seconds since the epoch are written as a number, without quotes"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return ": a date alone is no moment"
    return ""
