"""Alarms are told when they are found, and none is kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from copy import copy
from signal import SIGINT
from typing import TYPE_CHECKING

import pytest
from invented import FIRST, hours, write_csv
from typer.testing import CliRunner

from engine.cli.detect_said import JsonList, Lines
from engine.cli.main import app
from engine.offline.detect.run import Alarm

if TYPE_CHECKING:
    from pathlib import Path

    from engine.cli.detect_said import Said

COLUMNS = ("--time", "time", "--value", "value")
TWICE = [*hours(1, 8.0, 1_000), *hours(2, 0.0, 0)]
ALARM = Alarm(83, "2026-03-25", 76, "down", -162.61, 16.13)


def rows(values: list[float]) -> str:
    return "".join(f"{FIRST + 3_600 * row},{value}\n" for row, value in enumerate(values))


@pytest.mark.parametrize(("options", "interrupted"), [((), True), (("--json",), False)])
def test_an_alarm_is_told_while_the_rows_still_come(options: tuple[str, ...], *, interrupted: bool):
    command = [sys.executable, "-m", "engine", "detect", "-", *COLUMNS, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # To the alarm and not a row further: nothing is closed, and nothing more comes before it has been read.
        process.stdin.write("time,value\n" + rows(TWICE[:1_012]))
        process.stdin.flush()
        told = [process.stdout.readline() for _ in range(3 if options else 2)]
        if options:
            assert told[:2] == ["[\n", "  {\n"]
            row = json.loads("{" + told[2].rstrip().rstrip(",") + "}")["row"]
        else:
            assert told[0].split()[:2] == ["row", "time"]
            row = int(told[1].split()[0])
        assert 1_000 <= row < 1_012
        if interrupted:
            process.send_signal(SIGINT)
        else:
            process.stdin.close()
        rest = process.stdout.read()
    assert process.returncode == 0
    if options:
        assert [each["row"] for each in json.loads("".join(told) + rest)] == [row]
    else:
        assert re.fullmatch(r"10\d\d rows, one every 1h: 1 alarm.\n", rest)


@pytest.mark.parametrize("said", [Lines(), JsonList()], ids=["lines", "json"])
def test_nothing_is_kept_of_an_alarm_but_that_there_was_one(said: Said, capsys: pytest.CaptureFixture[str]):
    kept = []
    for row in range(300):
        said.take(ALARM._replace(row=row, time=f"{row:010}"))
        kept.append({name: copy(value) for name, value in vars(said).items() if name != "count"})
    assert said.count == 300
    assert all(each == kept[0] for each in kept)
    assert len(capsys.readouterr().out) > 300 * 40


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_list_is_that_which_is_written_at_once(count: int, capsys: pytest.CaptureFixture[str]):
    said, alarms = JsonList(), [ALARM._replace(row=row) for row in range(count)]
    for alarm in alarms:
        said.take(alarm)
    said.close()
    assert capsys.readouterr().out == json.dumps([alarm._asdict() for alarm in alarms], indent=2) + "\n"


def test_long_cells_make_a_line_longer_and_not_two(capsys: pytest.CaptureFixture[str]):
    said = Lines()
    said.take(ALARM)
    said.take(ALARM._replace(row=123_456_789, time="2026-03-25T00:00:00+01:00", size=-1.2345e-200))
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["row", "time", "began", "at", "row", "direction", "size", "statistic"]
    assert len(first) == len(head)
    assert second.split() == ["123456789", "2026-03-25T00:00:00+01:00", "76", "down", "-1.2345e-200", "16.13"]


def test_a_list_is_whole_even_where_the_rows_cannot_be_read_to_their_end(tmp_path: Path):
    told: list[tuple[object, object]] = [(FIRST + 3_600 * row, value) for row, value in enumerate(TWICE[:1_100])]
    file = write_csv(tmp_path / "broken.csv", [*told, ("soon", 1)])
    done = CliRunner().invoke(app, ["detect", str(file), *COLUMNS, "--json"])
    assert "row 1100: expected a time" in str(done.exception)
    assert len(json.loads(done.stdout)) == 1
    nothing = write_csv(tmp_path / "wrong.csv", [("soon", 1)])
    assert CliRunner().invoke(app, ["detect", str(nothing), *COLUMNS, "--json"]).stdout == ""
