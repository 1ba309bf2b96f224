"""Event times as they mostly stand: `2013-02-08T05:00:00.25Z`, with an offset, or seconds since the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.kernels._jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECOND = 1_000_000
MILLISECONDS_FROM = 1e11
"""Greater numbers look like milliseconds."""

_ZERO, _NINE = 0x30, 0x39
_DASH, _PLUS, _COLON, _POINT, _T, _Z = 0x2D, 0x2B, 0x3A, 0x2E, 0x54, 0x5A
_SHORTEST = 20
_OFFSET_LENGTH = 6
_FAULTY = -1
_FEBRUARY = 2
_FIRST_YEAR = 1900
"""Before it the reference decoder refuses anyway; from here on the days since the epoch need no care with signs."""


@jit
def _two_digits(data: NDArray[np.uint8], position: int) -> int:
    """The number of two digits, below zero where one is none."""
    tens, ones = np.int64(data[position]) - _ZERO, np.int64(data[position + 1]) - _ZERO
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return _FAULTY
    return tens * 10 + ones


@jit
def _days_of_month(year: int, month: int) -> int:
    if month == _FEBRUARY:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@jit
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Source: Hinnant, chrono-Compatible Low-Level Date Algorithms, days_from_civil."""
    if month <= _FEBRUARY:
        year -= 1
        month += 12
    era_year = year % 400
    day_of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return (year // 400) * 146_097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year - 719_468


@jit
def _date(data: NDArray[np.uint8], start: int) -> int:
    """Days since the epoch of `2013-02-08`, or a number below every day that is taken."""
    century, year = _two_digits(data, start), _two_digits(data, start + 2)
    month, day = _two_digits(data, start + 5), _two_digits(data, start + 8)
    if century < 0 or year < 0 or data[start + 4] != _DASH or data[start + 7] != _DASH:
        return -(2**40)
    year += 100 * century
    if year < _FIRST_YEAR or not 1 <= month <= 12 or not 1 <= day <= _days_of_month(year, month):
        return -(2**40)
    return _days(year, month, day)


@jit
def _clock(data: NDArray[np.uint8], start: int) -> int:
    """Seconds of `05:00:00`, or below zero."""
    hours, minutes, seconds = _two_digits(data, start), _two_digits(data, start + 3), _two_digits(data, start + 6)
    if data[start + 2] != _COLON or data[start + 5] != _COLON:
        return _FAULTY
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59 or not 0 <= seconds <= 59:
        return _FAULTY
    return hours * 3_600 + minutes * 60 + seconds


@jit
def _fraction(data: NDArray[np.uint8], position: int) -> tuple[int, int]:
    """(place after it, microseconds) of the digits after a point; digits below the microsecond are dropped."""
    unit, micros = SECOND // 10, 0
    while _ZERO <= data[position] <= _NINE:
        micros += (np.int64(data[position]) - _ZERO) * unit
        unit //= 10
        position += 1
    return position, micros


@jit
def _offset(data: NDArray[np.uint8], start: int, end: int) -> tuple[bool, int]:
    """(whether it is one, seconds) of `Z` or `-05:00`, which must end at `end`."""
    if end - start == 1 and data[start] == _Z:
        return True, 0
    if end - start != _OFFSET_LENGTH or data[start] not in (_PLUS, _DASH) or data[start + 3] != _COLON:
        return False, 0
    hours, minutes = _two_digits(data, start + 1), _two_digits(data, start + 4)
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return False, 0
    seconds = hours * 3_600 + minutes * 60
    return True, (-seconds if data[start] == _DASH else seconds)


@jit
def time_of_text(data: NDArray[np.uint8], start: int, end: int) -> tuple[bool, int]:
    """(whether it is taken, microseconds since the epoch) of the text from `start` to `end`, where a quote stands."""
    if end - start < _SHORTEST or data[start + 10] != _T:
        return False, 0
    days, seconds = _date(data, start), _clock(data, start + 11)
    position, micros = start + 19, 0
    if data[position] == _POINT:
        position, micros = _fraction(data, start + 20)
        if position == start + 20:
            return False, 0
    good, offset = _offset(data, position, end)
    if days < -(2**20) or seconds < 0 or not good:
        return False, 0
    return True, (days * 86_400 + seconds - offset) * SECOND + micros


@jit
def time_of_number(value: float, whole: bool) -> tuple[bool, int]:  # noqa: FBT001 (compiled code takes arguments by position)
    """(whether it is taken, microseconds) of seconds since the epoch; `whole`: they were written as an integer."""
    if abs(value) > MILLISECONDS_FROM:
        return False, 0
    if whole:
        return True, np.int64(value) * SECOND
    return True, np.int64(np.rint(value * SECOND))
