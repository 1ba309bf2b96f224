"""Anomalies in anybody's series: what the detector says, that it does not look ahead, and that a rule says the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import FIRST, hours, write_csv
from test_detect_series import PACK, rows_of
from typer.testing import CliRunner

from engine.cli.main import app
from engine.model.finding import Finding
from engine.model.measurement import Measurement
from engine.model.time import HOUR, SECOND, parse_own_time
from engine.offline.detect.anomaly import AnomalyDetector
from engine.offline.detect.run import Detection, Judged
from engine.offline.detect.windows import LOOKED_AT
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from pathlib import Path

SPIKES = {700: 30.0, 724: 30.0, 748: -30.0, 900: 45.0}


def spiked(seed: int, count: int = 1_000) -> list[float | None]:
    return [value + SPIKES.get(row, 0.0) for row, value in enumerate(hours(seed, 0.0, 0, count))]


def judged(values: list[float | None]) -> list[Judged]:
    return list(Detection(AnomalyDetector).judge(rows_of(values)))


def test_each_spike_is_told_once_where_it_is_with_its_way_and_size():
    found = [each.alarm for each in judged(spiked(1)) if each.alarm is not None]
    assert [(alarm.row, alarm.onset_row, alarm.direction) for alarm in found] == [
        (row, row, "up" if size > 0 else "down") for row, size in SPIKES.items()
    ]
    assert [alarm.size for alarm in found] == pytest.approx([*SPIKES.values()], abs=8.0)


def test_a_row_scores_one_or_more_exactly_where_an_incident_begins():
    series = judged(spiked(2))
    assert [each.score >= 1.0 for each in series] == [each.alarm is not None for each in series]
    assert all(each.score >= 0.0 for each in series)
    assert any(0.0 < each.score < 1.0 for each in series)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.integers(LOOKED_AT, 800), st.sets(st.integers(0, 799), max_size=40))
def test_what_is_said_of_a_row_rests_on_no_later_row(seed: int, cut: int, empty: set[int]):
    values = [None if row in empty else value for row, value in enumerate(spiked(seed, 800))]
    assert judged(values[:cut]) == judged(values)[:cut]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_rule_on_the_same_series_says_the_same(seed: int, tmp_path: Path):
    (tmp_path / "pack.yaml").write_text(PACK.replace("trend_break: {}", "anomaly: {}"), "utf-8")
    values = spiked(seed)
    history = [
        (round(row.place.at), Measurement("web.visits", FIRST + 3_600 * place, row.value, {}, f"m-{place}"))
        for place, row in enumerate(rows_of(values))
    ]
    findings = replay(load_or_raise([tmp_path]), history).findings
    said = [each.record.value or b"" for each in findings]
    decoded = [msgspec.json.decode(value, type=Finding) for value in said if b'"type":"finding"' in value]
    ends = [parse_own_time(each.event_time) for each in decoded if each.transition == "firing"]
    alarms = [each.alarm.row for each in judged(values) if each.alarm is not None]
    assert [end // HOUR - FIRST // 3_600 - 1 for end in ends] == alarms
    assert FIRST * SECOND % HOUR == 0


def test_the_command_finds_anomalies_where_it_is_told_to(tmp_path: Path):
    rows = [(FIRST + 3_600 * row, value) for row, value in enumerate(spiked(1))]
    file = str(write_csv(tmp_path / "visits.csv", rows))
    arguments = ["detect", file, "--time", "time", "--value", "value", "--condition", "anomaly", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert [alarm["row"] for alarm in json.loads(result.stdout)] == [*SPIKES]


def test_rows_that_are_only_numbered_have_no_season(tmp_path: Path):
    rows = [(row, value) for row, value in enumerate(spiked(1))]
    file = str(write_csv(tmp_path / "rows.csv", rows))
    arguments = ["detect", file, "--time", "time", "--value", "value", "--condition", "anomaly", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert {700, 900} <= {alarm["row"] for alarm in json.loads(result.stdout)}
