"""`counterpoint test`: what is run, and the exit status. What it prints stands in the golden cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from junitparser import Error, Failure, JUnitXml
from typer.testing import CliRunner

from engine.cli.main import app

if TYPE_CHECKING:
    from click.testing import Result

FLIGHTS = Path(__file__).resolve().parents[2] / "rules" / "flights"
CATALOGUE = (FLIGHTS / "catalogue.yaml").read_text("utf-8")
RULE = """\
kind: rule
id: long-delay
title: A long delay
kpi: flights.arrival_delay
points: raw
condition: {threshold: {above: 60}}
mode: MODE
severity: critical
review: {close: CLOSE}
"""
TEST = """\
kind: test
id: TEST
start: 2026-01-05T00:00:00Z
every: 1h
measurements:
  - {kpi: flights.arrival_delay, dimensions: {origin: EWR}, values: 1 99 VALUE}
expect:
  - {rule: long-delay, dimensions: {origin: EWR}, firing: [{from: 1h, to: 2h}]}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["test", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, "utf-8")
    write_rule(tmp_path)
    write_test(tmp_path, "long", 5)
    return tmp_path


def write_rule(folder: Path, mode: str = "on", close: str = "on_recovery") -> None:
    (folder / "rule.yaml").write_text(RULE.replace("MODE", mode).replace("CLOSE", close), "utf-8")


def write_test(folder: Path, name: str, value: float) -> Path:
    path = folder / f"{name}_test.yaml"
    path.write_text(TEST.replace("TEST", name).replace("VALUE", str(value)), "utf-8")
    return path


def test_a_folder_of_passing_tests_is_fine(folder: Path):
    result = run(folder)
    assert result.exit_code == 0
    assert result.output.startswith("ok    long\nok: 1 test, 0 failing in ")


def test_one_failing_test_is_status_1(folder: Path):
    write_test(folder, "wrong", 61)
    result = run(folder)
    assert result.exit_code == 1
    assert "not ok: 2 tests, 1 failing" in result.output


def test_a_file_of_tests_is_run_alone_with_the_rules_of_its_folder(folder: Path):
    wrong = write_test(folder, "wrong", 61)
    assert run(folder / "long_test.yaml").exit_code == 0
    assert run(wrong).exit_code == 1
    assert "not ok: 1 test, 1 failing" in run(wrong).output


def test_rules_may_stand_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    apart = write_test(tmp_path_factory.mktemp("apart"), "apart", 5)
    assert run(apart).exit_code == 1
    assert "[unknown-kpi]" in run(apart).output
    assert run(apart, "--rules", folder).exit_code == 0


@pytest.mark.parametrize("mode", ["on", "shadow", "off"])
@pytest.mark.parametrize("close", ["on_recovery", "on_answer"])
def test_mode_and_closing_do_not_change_what_a_rule_sees(folder: Path, mode: str, close: str):
    write_rule(folder, mode, close)
    assert run(folder).exit_code == 0


def test_without_a_test_it_is_wrong_usage(folder: Path):
    (folder / "long_test.yaml").unlink()
    result = run(folder)
    assert result.exit_code == 2
    assert "expected rule tests" in result.output


def test_files_that_must_be_mended_are_told_and_nothing_is_run(folder: Path):
    (folder / "rule.yaml").write_text("kind: rule\nid: long-delay\n", "utf-8")
    result = run(folder)
    assert result.exit_code == 1
    assert "rule.yaml:1:1: expected the field `title`" in result.output
    assert result.output.rstrip().endswith("not ok: no test was run, 2 errors in the files")


def test_a_measurement_that_the_engine_refuses_fails_its_test(folder: Path):
    write_test(folder, "early", 5)
    path = folder / "early_test.yaml"
    path.write_text(path.read_text("utf-8").replace("2026-01-05", "1950-01-05"), "utf-8")
    result = run(path)
    assert result.exit_code == 1
    assert "a measurement is refused: time_out_of_range" in result.output


def test_programs_read_the_same(folder: Path):
    write_test(folder, "wrong", 61)
    result = run(folder, "--format", "json")
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert report["ok"] is False
    assert [(test["id"], test["passed"]) for test in report["tests"]] == [("long", True), ("wrong", False)]
    [difference] = report["tests"][1]["differences"]
    assert difference["rule"] == "long-delay"
    assert difference["line"] == 8
    assert difference["expected"] == [{"from": "2026-01-05T01:00:00Z", "to": "2026-01-05T02:00:00Z", "says": None}]
    [found] = difference["found"]
    assert (found["from"], found["to"]) == ("2026-01-05T01:00:00Z", None)
    assert found["says"].endswith("was 99 at 2026-01-05T01:00:00Z, above 60.")


def test_a_junit_reader_reads_what_passed_and_what_failed(folder: Path, tmp_path: Path):
    wrong = write_test(folder, "wrong", 61)
    written = tmp_path / "junit.xml"
    assert run(folder, "--junit", written).exit_code == 1
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(written))}
    assert {name: (suite.tests, suite.failures, suite.errors) for name, suite in suites.items()} == {
        str(folder / "long_test.yaml"): (1, 0, 0),
        str(wrong): (1, 1, 0),
    }
    [case] = suites[str(wrong)]
    [failure] = case.result
    assert isinstance(failure, Failure)
    assert (case.name, case.classname) == ("wrong", str(wrong))
    assert "- fires from 1h (2026-01-05T01:00:00Z) to 2h (2026-01-05T02:00:00Z)" in failure.text
    assert "+ fires from 1h (2026-01-05T01:00:00Z) to the end" in failure.text


REVIEWED = """\
kind: test
id: reviewed
start: 2026-01-05T00:00:00Z
every: 1h
measurements:
  - {kpi: flights.arrival_delay, dimensions: {origin: EWR}, values: 1 99 99}
commands:
  - {at: 3h, rule: long-delay, dimensions: {origin: EWR}, action: acknowledge, who: ann, refused: no_change}
expect:
  - rule: long-delay
    dimensions: {origin: EWR}
    reviews: [{at: 1h, state: open}, {at: 3h, state: resolved, owner: ann}]
    triggers: [{at: 0h, type: opened}, {at: 2h, type: resolved}]
"""


def test_a_junit_reader_reads_what_differed_of_reviews_and_commands(folder: Path, tmp_path: Path):
    path = folder / "reviewed_test.yaml"
    path.write_text(REVIEWED, "utf-8")
    written = tmp_path / "junit.xml"
    assert run(path, "--junit", written).exit_code == 1
    [suite] = JUnitXml.fromfile(str(written))
    [case] = suite
    [failure] = case.result
    assert failure.text.splitlines() == [
        f"{path}:8: acknowledge, long-delay, at 3h (2026-01-05T03:00:00Z)",
        "- refused as no_change",
        "+ it is taken",
        f"{path}:12: long-delay, origin EWR: reviews",
        "  1h (2026-01-05T01:00:00Z): open",
        "- 3h (2026-01-05T03:00:00Z): resolved, owner ann",
        "+ 3h (2026-01-05T03:00:00Z): acknowledged, owner customer-care",
        f"{path}:13: long-delay, origin EWR: triggers",
        "  0s (2026-01-05T00:00:00Z): opened",
        "- 2h (2026-01-05T02:00:00Z): resolved",
        "+ 3h (2026-01-05T03:00:00Z): acknowledged, told to customer-care, saying 'Acknowledged by ann.'",
    ]


def test_programs_read_what_differed_of_reviews_and_commands(folder: Path):
    path = folder / "reviewed_test.yaml"
    path.write_text(REVIEWED, "utf-8")
    [test] = json.loads(run(path, "--format", "json").output)["tests"]
    assert (test["passed"], test["differences"]) == (False, [])
    [command] = test["commands"]
    assert (command["line"], command["at"]) == (8, "2026-01-05T03:00:00Z")
    assert (command["expected"], command["found"]) == ("no_change", None)
    reviews, triggers = test["reviews"]
    assert (reviews["what"], reviews["line"], triggers["what"]) == ("reviews", 12, "triggers")
    assert reviews["told"] == [
        {"at": "2026-01-05T01:00:00Z", "agrees": True, "expected": {"state": "open"}, "found": {"state": "open"}},
        {
            "at": "2026-01-05T03:00:00Z",
            "agrees": False,
            "expected": {"state": "resolved", "owner": "ann"},
            "found": {"state": "acknowledged", "owner": "customer-care"},
        },
    ]


def test_a_junit_reader_reads_why_no_test_could_be_run(folder: Path, tmp_path: Path):
    (folder / "rule.yaml").write_text("kind: rule\nid: long-delay\n", "utf-8")
    written = tmp_path / "junit.xml"
    assert run(folder, "--junit", written).exit_code == 1
    [suite] = JUnitXml.fromfile(str(written))
    assert (suite.tests, suite.errors) == (2, 2)
    assert all(isinstance(result, Error) for case in suite for result in case.result)


def test_junit_that_cannot_be_written_is_wrong_usage(folder: Path, tmp_path: Path):
    result = run(folder, "--junit", tmp_path / "nowhere" / "junit.xml")
    assert result.exit_code == 2
    assert "expected a file that can be written" in result.output


def test_what_no_test_reaches_is_listed_when_asked_for(folder: Path):
    (folder / "more.yaml").write_text(
        RULE.replace("long-delay", "odd-delay")
        .replace("{above: 60}", "{outside: [-30, 60]}")
        .replace("MODE", "on")
        .replace("CLOSE", "on_recovery"),
        "utf-8",
    )
    assert "no test reaches" not in run(folder).output
    assert run(folder, "--coverage").output.splitlines()[1:-1] == [
        "no test reaches:",
        "      long-delay: keeps silent",
        "      odd-delay: fires upwards, fires downwards, recovers, keeps silent",
    ]
    write_test(folder, "odd", 5).write_text(
        TEST.replace("TEST", "odd").replace("long-delay", "odd-delay").replace("VALUE", "5 -31"), "utf-8"
    )
    missing = json.loads(run(folder, "--format", "json").output)["not_reached"]
    assert missing == {"long-delay": ["keeps silent"], "odd-delay": ["keeps silent"]}


def test_all_branches_are_reached_by_a_test_of_each(folder: Path):
    (folder / "rule.yaml").write_text(
        (folder / "rule.yaml").read_text("utf-8").replace("{above: 60}", "{outside: [-30, 60]}"), "utf-8"
    )
    quiet = "  - {kpi: flights.arrival_delay, dimensions: {origin: JFK}, values: 1x4}\nexpect:\n"
    silence = "  - {rule: long-delay, dimensions: {origin: JFK}, firing: never}\n"
    text = TEST.replace("TEST", "both").replace("VALUE", "5 -31").replace("expect:\n", quiet)
    text = text.replace("{from: 1h, to: 2h}", "{from: 1h, to: 2h}, {from: 3h}")
    (folder / "long_test.yaml").write_text(text + silence, "utf-8")
    result = run(folder, "--coverage")
    assert result.exit_code == 0, result.output
    assert "no test reaches" not in result.output
