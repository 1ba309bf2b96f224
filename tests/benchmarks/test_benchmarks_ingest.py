"""The ingest benchmark: its messages are those of our senders, its brute force says what stage 1 says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest
from ingest_answer import answer
from ingest_batches import batches
from ingest_findings import found_in, require_equal
from ingest_load import START, make_load
from ingest_messages import host, messages
from ingest_report import Span, contest_table, put_into, rounded
from ingest_rules import JOBS, declared, rules_yaml

from engine.model.limits import Limits
from engine.model.measurement import Measurement
from engine.model.time import MINUTE
from engine.model.topics import FINDINGS
from engine.rules.loader import load_or_raise
from engine.rules.mapping import Mapped, Position, map_message
from engine.runtime.context import StageContext
from engine.runtime.stage1 import Stage1
from engine.wire.encode import encode_measurement

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

ROOT = Path(__file__).parents[2]
HOSTS = 60


def rule_set(folder: Path, job: str, foreign_topic: str | None = None) -> RuleSet:
    file = folder / f"{job}.yaml"
    file.write_text(rules_yaml(JOBS[job], declared(JOBS[job], HOSTS), foreign_topic), encoding="utf-8")
    return load_or_raise([file])


def test_nothing_of_the_load_is_late_and_repeats_follow_what_they_repeat():
    load = make_load(20_000, HOSTS, repeats=0.01)
    assert np.array_equal(load.minute, np.sort(load.minute))
    assert np.array_equal((load.time - START) // MINUTE, load.minute)
    assert 50 < load.repeat.sum() < 500
    place_of = dict(zip(load.number[~load.repeat].tolist(), np.flatnonzero(~load.repeat).tolist(), strict=True))
    assert len(place_of) == load.total - load.repeat.sum()
    assert all(place_of[number] < place for place, number in enumerate(load.number.tolist()) if load.repeat[place])


def test_plain_messages_are_what_our_senders_write():
    load = make_load(3_000, HOSTS)
    for place, message in enumerate(messages(load, "plain", 100, 900), 100):
        time, series = int(load.time[place]), int(load.series[place])
        value, name = float(load.value[place]), f"m{load.number[place]}"
        own = encode_measurement("load", time, value, {"host": host(series)}, id=name, source="agent")
        assert message == own


def test_escaped_and_foreign_messages_say_the_same_as_plain_ones(tmp_path: Path):
    load = make_load(3_000, HOSTS)
    rules = rule_set(tmp_path, "a", "cpu")
    [source] = rules.sources
    shapes = [messages(load, shape, 0, 500) for shape in ("plain", "escaped", "foreign")]
    for plain, escaped, foreign in zip(*shapes, strict=True):
        told = msgspec.json.decode(plain, type=Measurement)
        assert b"\\" in escaped
        same = msgspec.json.decode(escaped, type=Measurement)
        assert msgspec.structs.replace(same, id=str(same.id).replace("/", "")) == told
        [mapped] = map_message(source, rules, foreign, Position("cpu", 0, 1), Limits())
        assert isinstance(mapped, Mapped)
        assert msgspec.structs.replace(msgspec.json.decode(mapped.value, type=Measurement), id=told.id) == told


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("shape", ["plain", "escaped"])
def test_stage_1_finds_what_brute_force_finds(job: str, shape: str, tmp_path: Path):
    load = make_load(40_000, HOSTS, repeats=0.01)
    expected = answer(load, JOBS[job])
    assert {(found.rule, found.transition) for found in expected} >= {
        (rule.id, transition) for rule in JOBS[job][:5] for transition in ("firing", "resolved")
    }
    rules = rule_set(tmp_path, job)
    stage = Stage1(0, StageContext({rules.hash: rules}, rules.hash, 1, 1))
    outputs = [output for batch in batches(load, shape) for output in stage.apply(batch)]
    require_equal(found_in(output.record.value or b"" for output in outputs if output.topic == FINDINGS), expected)
    assert stage.counts["accepted"] == load.total - load.repeat.sum()
    assert stage.counts["duplicate"] == load.repeat.sum()
    assert stage.counts["late"] == 0


def test_tables_take_their_places_in_the_page(tmp_path: Path):
    page = tmp_path / "performance.md"
    before = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    page.write_text(before, encoding="utf-8")
    for name in ("machine", "a", "curves", "profile"):
        put_into(page, name, f"here is {name}, measured\nends")
    after = page.read_text(encoding="utf-8")
    assert after.count(", measured\nends") == 4
    assert "<!-- a -->\nhere is a, measured\nends\n<!-- /a -->\n" in after
    assert [line for line in after.splitlines() if line.startswith("#")] == [
        line for line in before.splitlines() if line.startswith("#")
    ]
    with pytest.raises(ValueError, match="<!-- b -->"):
        put_into(page, "b", "")


def test_a_table_tells_median_spread_and_ratios_within_each_run():
    ours = [Span(1_000_000, 1.0, 0.5, 10**8), Span(1_000_000, 1.0, 0.4, 10**8), Span(1_000_000, 1.0, 0.8, 10**8)]
    faust = [Span(10_000, 1.0, 1.0, 10**8), Span(10_000, 1.0, 2.0, 10**8), Span(10_000, 1.0, 1.0, 10**8)]
    lines = contest_table({"ours": ours, "faust": faust}).splitlines()
    assert lines[2].endswith(
        "| 1,000,000 | 1.00 | 0.50 | 1,000,000 (1,000,000 to 1,000,000) | 2,000,000 (1,250,000 to 2,500,000) |  |"
    )
    assert lines[3].endswith("| 10,000 (5,000 to 10,000) | 200 (125 to 500) times |")
    assert [rounded(number) for number in (0.0, 0.0123, 1.849, 999.9, 83_249, 4_012_345)] == [
        "0",
        "0.0123",
        "1.85",
        "1,000",
        "83,200",
        "4,010,000",
    ]
