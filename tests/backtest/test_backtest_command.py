"""`counterpoint backtest` as people and programs use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

if TYPE_CHECKING:
    from click.testing import Result

FLIGHTS = Path(__file__).resolve().parents[2] / "rules" / "flights"
RULE = """\
kind: rule
id: long-delay
title: A long delay
kpi: flights.arrival_delay
points: raw
condition: {threshold: {above: LIMIT}}
mode: MODE
severity: info
"""
SOURCE = """\
kind: source
id: flights
topic: tower.arrivals
map:
  - kpi: flights.arrival_delay
    time: {path: when, unit: rfc3339}
    value: {path: late}
    dimensions: {origin: {path: from}}
    id: [{path: number}]
"""
ROWS = """\
kpi,time,value,dimensions
flights.arrival_delay,2026-01-05T00:00:00Z,1,"{""origin"":""EWR""}"
flights.arrival_delay,2026-01-05T01:00:00Z,99,"{""origin"":""EWR""}"

flights.arrival_delay,soon,99,"{""origin"":""EWR""}"
flights.arrival_delay,2026-01-05T02:00:00Z
flights.arrival_delay,2026-01-05T03:00:00Z,5,"{""origin"":""EWR""}"
flights.arrival_delay,2026-01-05T00:30:00Z,5,"{""origin"":""EWR""}"
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["backtest", *map(str, arguments)])


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, "utf-8")
    return path


def pack(folder: Path, limit: int, mode: str = "on", more: str = "") -> Path:
    folder.mkdir()
    (folder / "catalogue.yaml").write_text((FLIGHTS / "catalogue.yaml").read_text("utf-8"), "utf-8")
    (folder / "rule.yaml").write_text(RULE.replace("LIMIT", str(limit)).replace("MODE", mode), "utf-8")
    if more:
        (folder / "more.yaml").write_text(more, "utf-8")
    return folder


def report(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_people_see_reviews_time_and_what_became_of_each_row(tmp_path: Path, rows: Path):
    result = run("--rules", pack(tmp_path / "pack", 60), "--input", rows)
    assert result.exit_code == 0, result.output
    assert "long-delay" in result.stdout
    assert "2026-W02" in result.stdout
    assert f"{rows}:5: $.time: expected RFC 3339" in result.stdout
    assert f"{rows}:6: $: expected 4 columns, found 2" in result.stdout
    assert "1 came behind the clock, by up to 2h 30m" in result.stdout


def test_programs_read_the_same_and_triggers_are_written(tmp_path: Path, rows: Path):
    out = tmp_path / "triggers.ndjson"
    found = report("--rules", pack(tmp_path / "pack", 60), "--input", rows, "--triggers-out", out)
    [rule] = found["summary"]["rules"]
    assert (rule["reviews"], rule["resolved"], rule["firing_seconds"]) == (1, 1, 7200.0)
    assert found["summary"]["rows"]["refused"] == {"bad_time": 1, "columns": 1}
    assert found["change"] is None
    types = [json.loads(line)["type"].split(".")[2] for line in out.read_text("utf-8").splitlines()]
    assert types == ["opened", "resolved"]


def test_other_rules_over_the_same_rows_add_and_remove(tmp_path: Path, rows: Path):
    old, new = pack(tmp_path / "old", 60), pack(tmp_path / "new", 3)
    found = report("--rules", old, "--input", rows, "--compare", new)["change"]
    assert [(each["rule"], each["removed"], each["kept"], each["added"]) for each in found["rules"]] == [
        ("long-delay", 0, 1, 0)
    ]
    assert "In both" in run("--rules", old, "--input", rows, "--compare", new).stdout


def test_a_rule_in_shadow_is_counted_and_marked_but_writes_no_trigger(tmp_path: Path, rows: Path):
    out = tmp_path / "triggers.ndjson"
    shadow = pack(tmp_path / "pack", 60, "shadow")
    assert "long-delay (shadow)" in run("--rules", shadow, "--input", rows, "--triggers-out", out).stdout
    assert out.read_bytes() == b""


def test_messages_of_a_foreign_topic_go_through_their_source(tmp_path: Path):
    messages = tmp_path / "messages.ndjson"
    lines = [{"when": f"2026-01-05T0{hour}:00:00Z", "late": late, "from": "EWR", "number": hour}
             for hour, late in enumerate([1, 99, "x", 5])]  # fmt: skip
    messages.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    rules = pack(tmp_path / "pack", 60, more=SOURCE)
    found = report("--rules", rules, "--input", messages, "--mapped", "flights")["summary"]
    assert found["rows"]["accepted"] == 3
    assert found["rows"]["examples"]["wrong_type"][0].startswith(f"{messages}:3: ")
    assert found["rules"][0]["reviews"] == 1
    wrong = run("--rules", rules, "--input", messages, "--mapped", "flihgts")
    assert wrong.exit_code == 2


def test_an_input_that_is_no_file_is_named(tmp_path: Path):
    result = run("--rules", pack(tmp_path / "pack", 60), "--input", tmp_path / "none.csv")
    assert result.exit_code == 1
    assert "expected a file, folder or pattern" in str(result.exception or result.output)
