"""An onset is named by its row, and what is kept for that does not grow with the series."""

from __future__ import annotations

import tracemalloc
from bisect import bisect_left
from contextlib import redirect_stdout
from itertools import accumulate
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import FIRST, hours

from engine.cli.detect_said import JsonList, Lines
from engine.model.time import SECOND
from engine.offline.detect.anomaly import AnomalyDetector
from engine.offline.detect.rows import SeriesRow
from engine.offline.detect.run import Detection
from engine.offline.detect.times import Place
from engine.offline.detect.trail import Reach, Trail
from engine.offline.detect.trend import TrendDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.model.time import Micros
    from engine.offline.detect.detector import Detector

GAPS = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 30]), st.booleans()), min_size=1, max_size=80)


@given(GAPS, st.integers(1, 5), st.integers(0, 40))
def test_whatever_is_within_reach_is_found_as_in_a_list_of_all_rows(
    rows: list[tuple[int, bool]], values: int, windows: int
):
    numbers = [*accumulate(gap for gap, _ in rows)]
    trail = Trail(Reach(values, windows))
    valued: list[int] = []
    for place, (number, (_, has_value)) in enumerate(zip(numbers, rows, strict=True)):
        trail.add(number, has_value=has_value)
        valued += [number] * has_value
        within = {*valued[-values:], *range(number - windows, number + 1)}
        for onset in within:
            assert trail.row_of(onset) == min(bisect_left(numbers[: place + 1], onset), place)


def test_what_is_kept_is_bounded_by_the_reach_and_not_by_the_rows():
    trail = Trail(Reach(24, 100))
    sizes = []
    for row in range(5_000):
        trail.add(2 * row, has_value=True)  # no two windows follow each other
        sizes.append(len(trail))
    assert max(sizes) <= 24 + 52
    assert sizes[200] == sizes[-1]


def endless(count: int) -> Iterator[SeriesRow]:
    """Hours, each seventh left out, about a level that shifts now and then."""
    for row, value in enumerate(hours(3, 0.0, 0, count)):
        if row % 7:
            at = (FIRST + 3_600 * row) * SECOND
            yield SeriesRow(str(at), Place(at, is_time=True), value + 20.0 * (row // 3_000 % 2))


@pytest.mark.parametrize("make", [TrendDetector, AnomalyDetector])
def test_a_long_stream_takes_no_more_memory_than_a_short_one(make: Callable[[Micros | None], Detector]):
    detection, early = Detection(make), 0
    lines, listed = Lines(), JsonList()
    hours(1, 0.0, 0, 1)
    with Path(devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        tracemalloc.start()
        try:
            for number, each in enumerate(detection.judge(endless(16_000))):
                if each.alarm is not None:
                    lines.take(each.alarm)
                    listed.take(each.alarm)
                if number == 4_000:
                    early, _ = tracemalloc.get_traced_memory()
                    tracemalloc.reset_peak()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert lines.count == listed.count >= 2
    assert peak - early < 50_000  # a number a row would be over 300,000
