"""The command as anybody runs it: ids and files, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import world
from memory_installation import PARTITIONS, copy_to

from engine.brokers.topics import TopicAdmin, plan
from engine.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

FALL, JUMP = world().of("orders-fall", "opened"), world().of("orders-jump", "opened")
FALL_ID: str = msgspec.json.decode(FALL)["id"]


def command(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_an_id_is_looked_up_and_made_again_from_the_log(installation: list[str], capsys: pytest.CaptureFixture[str]):
    assert command("explain", FALL_ID, *installation) == 0
    shown = capsys.readouterr().out
    for words in ("Orders of {region eu} was 41 on 2024-03-27", "evidence: consistent", "log: same bytes"):
        assert words in shown
    assert "\x1b" not in shown


def test_the_beginning_of_an_id_will_do_where_it_is_one_only(
    installation: list[str], capsys: pytest.CaptureFixture[str]
):
    assert command("explain", f"{FALL_ID[:9]}", "--no-log", *installation) == 2
    listed = capsys.readouterr().err
    assert FALL_ID in listed
    assert f"{FALL_ID[:-2]}-2" in listed
    conflict = msgspec.json.decode(world().of("growth-paid-for", "resolved"))["id"]
    assert command("explain", conflict, "--no-log", *installation) == 0
    assert "log: not asked" in capsys.readouterr().out


def test_an_id_that_is_not_there_is_said_to_be_so(installation: list[str], capsys: pytest.CaptureFixture[str]):
    assert command("explain", "0" * 32, *installation) == 2
    assert "found neither" in " ".join(capsys.readouterr().err.split())


def test_what_a_rule_in_shadow_mode_would_have_said_is_explained_too(
    installation: list[str], capsys: pytest.CaptureFixture[str]
):
    silent = msgspec.json.decode(world().of("latency-inside", "opened"))["id"]
    assert command("explain", silent, *installation) == 0
    shown = capsys.readouterr().out
    assert "(info, mode shadow)" in shown
    assert "log: same bytes" in shown


def test_a_file_needs_no_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "triggers.ndjson").write_bytes(FALL + b"\n" + JUMP + b"\n")
    assert command("explain", "triggers.ndjson") == 0
    brief = capsys.readouterr().out
    assert "2 triggers, evidence of 2 consistent" in brief
    assert "Who spoke" not in brief
    assert command("explain", "triggers.ndjson", "--only", FALL_ID[:12]) == 0
    whole = capsys.readouterr().out
    assert "Who spoke" in whole
    assert "log: not asked" in whole


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(JUMP)))
    assert command("explain", "-") == 0
    assert "96 above the median 72" in capsys.readouterr().out


@pytest.mark.kafka
def test_at_a_real_kafka_the_log_is_asked_as_far_back_as_is_wished(
    kafka: KafkaBroker, prefix: str, capsys: pytest.CaptureFixture[str]
):
    TopicAdmin(kafka.bootstrap).create(plan(prefix, PARTITIONS))
    options = copy_to(kafka.bootstrap, prefix, world().log)
    assert command("explain", FALL_ID, *options) == 0
    assert "log: same bytes (made again with the 1 record of stage 1" in " ".join(capsys.readouterr().out.split())
    assert command("explain", FALL_ID, "--since", "1h", *options) == 0
    assert "1 record of stage 1 that it rests on; what stood" in " ".join(capsys.readouterr().out.split())
    assert command("explain", FALL_ID, "--since", "2059-01-01T00:00:00Z", *options) == 0
    assert "0 records of stage 1 that it rests on; what stood" in " ".join(capsys.readouterr().out.split())


def test_a_changed_trigger_ends_with_status_1_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "changed.json"
    event = json.loads(FALL)
    event["data"]["evidence"]["point"]["value"] = 42.0
    file.write_text(json.dumps(event, indent=2))
    assert command("explain", str(file)) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "data.evidence.point.value: the trigger says 42.0, recomputed 41.0" in shown
    assert "evidence: not consistent" in shown


def test_a_changed_trigger_differs_from_the_log_by_the_leaf(
    installation: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "changed.ndjson"
    file.write_bytes(FALL.replace(b'"historical":false', b'"historical":true'))
    assert command("explain", str(file), "--log", "--format", "json", *installation) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["log"]["differences"] == [["data.historical", True, False]]
    assert told["evidence"] == "not consistent"
    assert [failure["path"] for failure in told["failures"]] == ["data"]


def test_json_holds_every_step_with_its_comparisons(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "trigger.json"
    file.write_bytes(FALL)
    assert command("explain", str(file), "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["evidence"], told["log"]["verdict"]) == (FALL_ID, "consistent", "not asked")
    paths = {check["path"] for step in told["steps"] for line in step["lines"] for check in line["checks"]}
    assert {"data.evidence.baseline", "data.evidence.statistic", "data.explanation", "id"} <= paths


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"kpi": "orders"}'])
def test_a_file_that_holds_no_trigger_is_wrong_usage(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "other.json"
    file.write_text(text)
    assert command("explain", str(file)) == 2
    assert "review trigger" in " ".join(capsys.readouterr().err.split())


def test_a_file_is_explained_where_its_brokers_are_out_of_reach(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "trigger.json"
    file.write_bytes(FALL)
    assert command("explain", str(file), "--brokers", "127.0.0.1:1") == 0
    assert "log: not asked (no broker answers at 127.0.0.1:1)" in capsys.readouterr().out
    assert command("explain", str(file), "--brokers", "127.0.0.1:1", "--log") == 1
