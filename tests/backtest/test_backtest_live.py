"""A backtest says what a worker's stages say of the same rows, byte for byte, in whatever form and order they come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backtest_world import EVERY, HOURS, START, Told, live, rule_set, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.time import HOUR, MINUTE, SECOND, format_time
from engine.model.topics import TRIGGERS
from engine.offline.backtest import lines, tables
from engine.offline.backtest.files import Reading
from engine.offline.backtest.run import run
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise
from engine.simulate.scenarios.phantom_growth import PhantomGrowth

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

Identity = tuple[str, str, str]
ENDINGS = (".csv", ".ndjson", ".parquet")
PACK = Path(__file__).resolve().parents[2] / "rules" / "phantom-growth"

ROWS = st.builds(
    Told,
    host=st.sampled_from(["a", "b", "c"]),
    time=st.integers(0, HOURS).map(lambda seconds: START + seconds * SECOND),
    value=st.integers(0, 9).map(float),
    id=st.none() | st.sampled_from(["x", "y", "z", "a long id, longer than what a window keeps of an id"]),
    revision=st.sampled_from([0, 0, 0, 1]),
)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(tables, "BYTES_AT_ONCE", 300)
    monkeypatch.setattr(lines, "BYTES_AT_ONCE", 300)


def backtested(rules: RuleSet, *files: Path, every: int = EVERY) -> tuple[list[bytes], list[Identity], dict]:
    """(triggers, identities of the reviews in shadow, what stage 1 counted)."""
    triggers: list[bytes] = []
    ran = run(rules, files, Reading(), every=every, triggers=triggers.append)
    shadow = [line.identity for line in ran.tally.reviews.values() if line.shadow]
    return triggers, shadow, ran.counts


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(ROWS, max_size=60), in_order=st.booleans(), lateness=st.sampled_from([0, 20 * MINUTE]))
def test_rows_of_a_file_are_what_a_worker_reads(tmp_path: Path, told: list[Told], in_order: bool, lateness: int):  # noqa: FBT001
    told = sorted(told, key=lambda each: each.time) if in_order else told
    rules = rule_set(lateness)
    triggers, shadow, counts = live(rules, told)
    opened = {_identity(value) for value in shadow}
    for ending in ENDINGS:
        found, shadowed, counted = backtested(rules, written(tmp_path / f"rows{ending}", told))
        assert found == triggers, ending
        assert set(shadowed) == opened
        assert counted == counts


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(ROWS, min_size=20, max_size=60), lateness=st.sampled_from([0, 20 * MINUTE]))
def test_rows_that_are_brought_together_by_series_say_the_same(tmp_path: Path, told: list[Told], lateness: int):
    told = sorted(told, key=lambda each: each.time // HOUR)  # many rows of a series between two ticks
    rules = rule_set(lateness)
    triggers, _, counts = live(rules, told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "ROWS_AT_ONCE", 1_000)
        found, _, counted = backtested(rules, written(tmp_path / "rows.parquet", told))
    assert found == triggers
    assert counted == counts


def _identity(value: bytes) -> Identity:
    data = json.loads(value)["data"]
    return data["rule"], data["scope"], data["first_event_time"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(ROWS, max_size=60), parts=st.lists(st.integers(0, 2), min_size=60, max_size=60))
def test_files_in_order_are_merged_into_one_history(tmp_path: Path, told: list[Told], parts: list[int]):
    told = sorted(told, key=lambda each: each.time)
    of_part = [[each for each, mine in zip(told, parts, strict=False) if mine == part] for part in range(3)]
    # Of equal times the earlier file comes first.
    merged = sorted((each for part in of_part for each in part), key=lambda each: each.time)
    rules = rule_set(10 * MINUTE)
    files = [written(tmp_path / f"{part}{ENDINGS[part]}", rows) for part, rows in enumerate(of_part)]
    # Files are read ahead: series are met in another order than in their merged history, and at a tick speak in it.
    assert sorted(backtested(rules, *files)[0]) == sorted(live(rules, merged)[0])


def test_a_year_of_a_company_with_joined_rules_gives_the_triggers_of_a_replay(tmp_path: Path):
    rules, history = load_or_raise([PACK]), list(PhantomGrowth(700).measurements())
    expected = [each.record.value for each in replay(rules, history).outputs if each.topic == TRIGGERS]
    assert len(expected) > 5
    path = tmp_path / "year.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for time, told in history:
            fields = {"kpi": told.kpi, "time": format_time(time), "value": told.value, "dimensions": told.dimensions}
            file.write(json.dumps({**fields, "id": told.id, "source": told.source}) + "\n")
    assert backtested(rules, path, every=HOUR)[0] == expected
