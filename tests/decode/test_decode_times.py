"""Times, against the reader that names what is wrong: the same microsecond, or left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import WireError
from engine.kernels.scan.times import time_of_number, time_of_text
from engine.wire.times import parse_time

ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1901, 1, 1), datetime(2998, 12, 31), timezones=ZONES)  # noqa: DTZ001 (given by `timezones`)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(text: str) -> int | None:
    """Microseconds, or None where it is left."""
    data = np.frombuffer(f'{text}"'.encode(), np.uint8)
    good, time = time_of_text(data, 0, len(data) - 1)
    return int(time) if good else None


@given(MOMENTS)
def test_every_moment_is_taken_as_python_writes_it(moment: datetime):
    assert read(moment.isoformat()) == (moment - EPOCH) // timedelta(microseconds=1)


@given(MOMENTS, st.integers(0, 10**9 - 1))
def test_digits_below_the_microsecond_are_dropped(moment: datetime, nanoseconds: int):
    text = moment.replace(microsecond=0).isoformat().replace("+", f".{nanoseconds:09d}+", 1)
    if "." in text:
        assert read(text) == parse_time(text)


@given(st.text("0123456789-:.TZtz+ ", min_size=18, max_size=32))
@example("2023-02-29T00:00:00Z")
@example("2024-02-29T00:00:00Z")
@example("2100-02-29T00:00:00Z")
@example("2013-04-31T00:00:00Z")
@example("2013-02-08T24:00:00Z")
@example("2013-02-08T05:60:00Z")
@example("2013-02-08T05:00:60Z")
@example("2013-02-08T05:00:00+24:00")
@example("2013-02-08T05:00:00-00:60")
@example("2013-02-08T05:00:00.Z")
@example("2013-02-08T05:00:00")
@example("2013/02/08T05:00:00Z")
@example("2013-00-08T05:00:00Z")
@example("2013-01-00T05:00:00Z")
def test_nothing_is_taken_that_the_reference_refuses(text: str):
    time = read(text)
    if time is not None:
        try:
            assert time == parse_time(text)
        except WireError as error:
            assert error.reason == "time_out_of_range"  # noqa: PT017 (the pass itself looks at the range)


@given(st.one_of(st.integers(-(10**11), 10**11), st.floats(-1e11, 1e11)))
@example(1700000000.0000005)
@example(0.0000005)
def test_seconds_are_those_of_the_reference(seconds: float):
    good, time = time_of_number(float(seconds), isinstance(seconds, int))
    assert good
    try:
        assert int(time) == parse_time(seconds)
    except WireError as error:
        assert error.reason == "time_out_of_range"  # noqa: PT017 (the same)


@given(st.floats(1e11, 1e18, exclude_min=True), st.booleans())
def test_what_looks_like_milliseconds_is_left(value: float, whole: bool):  # noqa: FBT001 (drawn)
    assert not time_of_number(value, whole)[0]
    assert not time_of_number(-value, whole)[0]
