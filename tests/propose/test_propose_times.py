from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from engine.model.time import from_datetime
from engine.propose.times import micros_of, nearly_a_time, reading_of

NOON = from_datetime(datetime(2025, 3, 3, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2025-03-03T12:00:00Z", "rfc3339"),
        ("2025-03-03T13:00:00+01:00", "rfc3339"),
        ("2025-03-03T12:00:00", "local"),
        ("2025-03-03 12:00:00.5", "local"),
        ("2025-03-03", "date"),
        (date(2025, 3, 3), "date"),
        (datetime(2025, 3, 3, 12, tzinfo=UTC), "rfc3339"),
        (1741003200, "s"),
        ("1741003200", "s"),
        (1741003200.25, "s"),
        (1741003200000, "ms"),
        ("1741003200000000", "us"),
        (1741003200000000000, "ns"),
    ],
)
def test_each_way_to_write_a_time_is_told_from_the_others(value: object, written: str):
    reading = reading_of([(1, value)])
    assert reading is not None
    assert reading.format == written
    assert reading.needs_zone == (written in ("local", "date"))
    begin = micros_of(value, reading.format)
    assert begin is not None
    assert abs(begin - NOON) <= 12 * 3_600_000_000


@pytest.mark.parametrize(
    "value", ["EWR", "", "12:30:00", "03.03.2025", "2025-13-03", 17, 1e12 * 1e9, True, None, "1e400"]
)
def test_what_is_no_time_is_none(value: object):
    assert reading_of([(1, value)]) is None


def test_the_first_value_of_another_kind_is_named():
    reading = reading_of([(1, "2025-03-03"), (2, "n/a"), (3, "2025-03-04"), (4, "?"), (5, "2025-03-05")])
    assert reading is not None
    assert (reading.format, reading.fit, reading.odd) == ("date", 3, (2, "n/a"))


def test_a_column_of_which_half_are_no_times_is_none_of_times():
    assert reading_of([(1, "2025-03-03"), (2, "n/a")]) is None


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        ("31.01.2026", "2026-01-31"),
        ("1/31/26", "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("2026/01/31 13:00", "2026-01-31 13:00:00"),
        ("2026-01-31 13:00", "2026-01-31 13:00:00"),
    ],
)
def test_what_is_nearly_a_time_can_be_mended(value: str, mend: str):
    assert mend in (nearly_a_time(value) or "")


@pytest.mark.parametrize("value", ["EWR", 17, "10.5", "2026-01-31"])
def test_what_is_nothing_like_a_time_cannot(value: object):
    assert nearly_a_time(value) is None
