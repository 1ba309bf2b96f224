"""`counterpoint detect` as people use it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from invented import FIRST, hours, write_csv
from typer.testing import CliRunner

from engine.cli.main import app

if TYPE_CHECKING:
    from click.testing import Result

DOCS = Path(__file__).parents[2] / "docs"
SHIFTED = hours(1, 8.0, 1_000)


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "visits.csv", [(FIRST + 3_600 * row, value) for row, value in enumerate(SHIFTED)])


def detect(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["detect", *map(str, arguments)], input=given)


def test_the_example_of_the_documentation_says_what_is_written_there():
    result = detect(DOCS / "tutorial" / "visits.csv", "--time", "day", "--value", "visits")
    written = (DOCS / "detect.md").read_text("utf-8")
    assert result.exit_code == 0
    assert "\n".join(f"    {line.rstrip()}" for line in result.stdout.splitlines()) in written


def test_the_alarms_are_a_json_list(shifted: Path):
    result = detect(shifted, "--time", "time", "--value", "value", "--json")
    [alarm] = json.loads(result.stdout)
    assert list(alarm) == ["row", "time", "onset_row", "direction", "size", "statistic"]
    assert 1_000 <= alarm["row"] < 1_012
    assert alarm["time"] == str(FIRST + 3_600 * alarm["row"])
    assert alarm["direction"] == "up"


def test_without_an_alarm_the_list_is_empty(tmp_path: Path):
    file = write_csv(tmp_path / "calm.csv", [(row, 5) for row in range(100)])
    result = detect(file, "--time", "time", "--value", "value", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_people_read_a_table_and_what_the_rows_were_taken_for(shifted: Path):
    result = detect(shifted, "--time", "time", "--value", "value")
    head, alarm, summary = result.stdout.splitlines()
    assert head.split() == ["row", "time", "began", "at", "row", "direction", "size", "statistic"]
    assert "up" in alarm.split()
    assert summary == "1440 rows, one every 1h: 1 alarm."


def test_every_row_has_a_score_and_those_of_alarms_are_one_or_more(shifted: Path, tmp_path: Path):
    out = tmp_path / "scores.csv"
    alarms = json.loads(detect(shifted, "--time", "time", "--value", "value", "--json", "--scores", out).stdout)
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "time", "score", "alarm"]
    assert [int(row["row"]) for row in rows] == [*range(len(SHIFTED))]
    loud = [int(row["row"]) for row in rows if float(row["score"]) >= 1.0]
    assert loud == [int(row["row"]) for row in rows if row["alarm"] == "1"] == [alarm["row"] for alarm in alarms]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_can_be_had_of_times_and_of_rows(tmp_path: Path, suffix: str):
    for name, first in (("times", FIRST), ("rows", 0)):
        rows = [(first + 3_600 * row, value) for row, value in enumerate(SHIFTED)]
        file, out = write_csv(tmp_path / f"{name}.csv", rows), tmp_path / f"{name}.{suffix}"
        result = detect(file, "--time", "time", "--value", "value", "--plot", out)
        assert result.exit_code == 0, result.output
        assert out.stat().st_size > 10_000


def test_months_years_and_rows_without_a_value_are_taken(tmp_path: Path):
    months = [f"{1990 + row // 12}-{row % 12 + 1:02}" for row in range(120)]
    rows = [(month, "" if row == 7 else 10 + row % 3 + (9 if row >= 80 else 0)) for row, month in enumerate(months)]
    file = write_csv(tmp_path / "months.csv", rows)
    [alarm] = json.loads(detect(file, "--time", "time", "--value", "value", "--json").stdout)
    assert alarm["onset_row"] == 80
    assert alarm["time"].startswith("199")


def test_standard_input_says_what_the_file_says(shifted: Path):
    columns = ("--time", "time", "--value", "value", "--json")
    lines = shifted.read_text("utf-8").splitlines()[1:]
    objects = "\n".join(json.dumps(dict(zip(("time", "value"), line.split(","), strict=True))) for line in lines)
    expected = detect(shifted, *columns).stdout
    assert json.loads(expected)
    for given in (shifted.read_bytes(), b"\xef\xbb\xbf" + shifted.read_bytes(), objects.encode()):
        assert detect("-", *columns, given=given).stdout == expected


def test_standard_input_without_anything_is_told():
    assert "-: expected rows below a header, found none" in str(
        detect("-", "--time", "time", "--value", "value", given=b"").exception
    )


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path):
    result = detect(tmp_path / "none.csv", "--time", "time", "--value", "value")
    assert result.exit_code == 2
    assert "expected a file, or - for standard input" in " ".join(result.output.split())


def test_a_step_that_is_said_is_taken(shifted: Path):
    assert "one every 30m" in detect(shifted, "--time", "time", "--value", "value", "--step", "30m").stdout


def test_rows_that_do_not_move_on_in_time_are_told_of(tmp_path: Path):
    rows = [(FIRST + 3_600 * (row - row // 50), value) for row, value in enumerate(SHIFTED)]
    result = detect(write_csv(tmp_path / "twice.csv", rows), "--time", "time", "--value", "value")
    assert "28 rows do not move on in time; each was taken for the next one." in result.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("time,visits\n2026-01-01,1\n", "expected a column value, found none; it has: time, visits"),
        ("time,valeu\n2026-01-01,1\n", "expected a column value, found none; did you mean valeu?"),
        ("time,value\n", "expected rows below a header, found none"),
        ("time,value\n2026-01-01,many\n2026-01-02,3\n", "row 0: expected a number in value, found 'many'"),
        ("time,value\n2026-01-01,1\n01.02.2026,3\n", "row 1: expected a time, a date or a number, found '01.02.2026'"),
        ("time,value\n2026-01-01,1\n7,3\n", "row 1: expected a time as in the rows before, found '7'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_row(tmp_path: Path, content: str, told: str):
    file = tmp_path / "wrong.csv"
    file.write_text(content, "utf-8")
    result = detect(file, "--time", "time", "--value", "value")
    assert told in str(result.exception)


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path):
    file = write_csv(tmp_path / "wrong.csv", [("2026-01-01", "a"), ("2026-01-02", 1), ("x", 2)])
    told = str(detect(file, "--time", "time", "--value", "value").exception)
    assert "row 0: expected a number" in told
    assert "row 2: expected a time" in told


@pytest.mark.parametrize(
    ("option", "told"),
    [(("--plot", "out.pdf"), ".png or .svg"), (("--step", "soon"), "--step"), (("--step", "0s"), "above zero")],
)
def test_a_wrong_option_is_told(shifted: Path, option: tuple[str, str], told: str):
    result = detect(shifted, "--time", "time", "--value", "value", *option)
    assert result.exit_code == 2
    assert told in result.output
