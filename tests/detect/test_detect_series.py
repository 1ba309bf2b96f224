"""A series through the default detector: what it says, that it does not look ahead, and that a rule says the same."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import FIRST, HOURS, hours

from engine.model.finding import Finding
from engine.model.measurement import Measurement
from engine.model.time import HOUR, SECOND, parse_own_time
from engine.offline.detect.rows import SeriesRow
from engine.offline.detect.run import Detection, Judged
from engine.offline.detect.times import Place
from engine.offline.detect.trend import TrendDetector
from engine.offline.detect.windows import LOOKED_AT
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACK = """
kind: owner
id: web
name: Web
---
kind: objective
id: reach
title: More people find us
owner: web
---
kind: kpi
id: web.visits
title: Visits
definition: Mean of an hour
owner: web
objective: reach
unit: visits
direction: higher_is_better
role: leading
aggregation: mean
window: {every: 1h}
decision: none
target: none
lateness: 0s
---
kind: rule
id: visits-broke
title: Visits broke
kpi: web.visits
condition: {trend_break: {}}
severity: warning
review: {due_in: 1d, question: Why?}
"""


def rows_of(values: list[float | None]) -> list[SeriesRow]:
    times = [(FIRST + 3_600 * row) * SECOND for row in range(len(values))]
    return [SeriesRow(str(time), Place(time, is_time=True), value) for time, value in zip(times, values, strict=True)]


def judged(values: list[float | None]) -> list[Judged]:
    return list(Detection(TrendDetector).judge(rows_of(values)))


def alarms(values: list[float | None]) -> list[tuple[int, int, str]]:
    return [(each.alarm.row, each.alarm.onset_row, each.alarm.direction) for each in judged(values) if each.alarm]


@pytest.mark.parametrize(("shift", "direction"), [(8.0, "up"), (-8.0, "down")])
def test_a_lasting_shift_is_found_within_hours_and_its_onset_located(shift: float, direction: str):
    [(row, onset, way)] = alarms([*hours(1, shift, 1_000)])
    assert 1_000 <= row < 1_012
    assert abs(onset - 1_000) <= 2
    assert way == direction


def test_the_size_is_that_of_the_shift_in_the_unit_of_the_values():
    [found] = [each.alarm for each in judged([*hours(1, 8.0, 1_000)]) if each.alarm]
    assert found.size == pytest.approx(8.0, abs=2.0)


def test_where_nothing_breaks_nothing_is_said():
    assert alarms([*hours(2, 0.0, 0)]) == []


def test_a_row_scores_one_or_more_exactly_where_there_is_an_alarm():
    series = judged([*hours(1, 8.0, 1_000)])
    assert [each.score >= 1.0 for each in series] == [each.alarm is not None for each in series]
    assert all(each.score >= 0.0 for each in series)
    assert any(0.0 < each.score < 1.0 for each in series)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 1_000), st.sampled_from([0.0, 6.0, -9.0]), st.integers(400, 500), st.integers(LOOKED_AT, 600),
    st.sets(st.integers(0, 599), max_size=40),
)  # fmt: skip
def test_what_is_said_of_a_row_rests_on_no_later_row(seed: int, shift: float, at: int, cut: int, empty: set[int]):
    values = [None if row in empty else value for row, value in enumerate(hours(seed, shift, at, 600))]
    assert judged(values[:cut]) == judged(values)[:cut]


def test_rows_are_taken_one_by_one():
    taken: list[SeriesRow] = []

    def rows() -> Iterator[SeriesRow]:
        for row in rows_of([*hours(1, 0.0, 0)]):
            taken.append(row)
            yield row

    for number, _ in enumerate(islice(Detection(TrendDetector).judge(rows()), 100), 1):
        assert len(taken) == max(number, LOOKED_AT)


def test_the_scale_of_the_values_changes_no_score():
    values = hours(5, 7.0, 900, 1_200)
    plain, scaled = judged([*values]), judged([1_024.0 * value for value in values])
    assert [each.score for each in scaled] == pytest.approx([each.score for each in plain])


def test_rows_without_a_value_score_nothing():
    values: list[float | None] = [*hours(1, 8.0, 1_000)]
    values[700:720] = [None] * 20
    assert [each.score for each in judged(values)[700:720]] == [0.0] * 20


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_rule_on_the_same_series_says_the_same(seed: int, tmp_path: Path):
    (tmp_path / "pack.yaml").write_text(PACK, "utf-8")
    values = hours(seed, 6.0 if seed % 2 else -7.0, 700 + 40 * seed)
    history = [(row.place.at, Measurement("web.visits", FIRST + 3_600 * place, row.value, {}, f"m-{place}"))
               for place, row in enumerate(rows_of([*values]))]  # fmt: skip
    findings = replay(load_or_raise([tmp_path]), [(int(time), told) for time, told in history]).findings
    said = [each.record.value or b"" for each in findings]
    decoded = [msgspec.json.decode(value, type=Finding) for value in said if b'"type":"finding"' in value]
    ends = [parse_own_time(each.event_time) for each in decoded if each.transition == "firing"]
    assert [(end // HOUR - FIRST // 3_600) - 1 for end in ends] == [row for row, _, _ in alarms([*values])]
    assert len(values) == HOURS
