"""`counterpoint init`: what it writes, what it asks, what it refuses. What it prints stands in the golden cases."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from engine.brokers.embedded import EmbeddedBroker
from engine.cli.main import app
from engine.rules.loader import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

DATA = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
CSV = str(DATA / "helpdesk.csv")
WHO = ("--owner", "Customer support", "--objective", "Whoever needs help gets it soon")
TOLD = (*WHO, "--zone", "Europe/Vienna", "--dimension", "team", "--yes")


def init(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", "--from", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def test_a_file_becomes_rules_that_check_and_a_test_that_passes(folder: Path):
    result = init(CSV, *TOLD)
    assert result.exit_code == 0, result.output
    assert set(texts(folder)) == {
        "counterpoint.yaml",
        "my-rules/helpdesk.yaml",
        "my-rules/helpdesk-table.yaml",
        "my-rules/helpdesk-first-answer-min-high.yaml",
        "my-rules/helpdesk-first-answer-min-high_test.yaml",
    }
    assert CliRunner().invoke(app, ["check", "my-rules"]).exit_code == 0
    assert CliRunner().invoke(app, ["test", "my-rules"]).exit_code == 0
    assert CliRunner().invoke(app, ["config"]).exit_code == 0


def test_what_it_says_the_rule_would_have_said_is_the_incident_of_the_sample():
    output = init(CSV, *TOLD).output
    assert "Over the sample it would have fired once" in output
    assert "team technical, 2025-03-06T13:00:00Z to 2025-03-06T16:00:00Z" in output


def test_nothing_is_overwritten_without_force(folder: Path):
    init(CSV, *TOLD)
    (folder / "my-rules" / "helpdesk.yaml").write_text(texts(folder)["my-rules/helpdesk.yaml"] + "# mine\n", "utf-8")
    (folder / "counterpoint.yaml").write_text("rules: [my-rules]\n", "utf-8")
    before = texts(folder)
    result = init(CSV, *TOLD)
    assert result.exit_code == 1
    assert "my-rules/helpdesk.yaml: expected no such file; pass --force" in str(result.exception)
    assert texts(folder) == before
    assert init(CSV, *TOLD, "--force").exit_code == 0
    assert "# mine" not in texts(folder)["my-rules/helpdesk.yaml"]
    assert texts(folder)["counterpoint.yaml"] == "rules: [my-rules]\n"


def test_a_second_one_in_the_same_folder_takes_the_owner_that_is_there(folder: Path):
    init(CSV, *TOLD)
    (folder / "wait.csv").write_text((DATA / "helpdesk.csv").read_text("utf-8"), "utf-8")
    assert init("wait.csv", *TOLD).exit_code == 0
    loaded = load([folder / "my-rules"], tests=True)
    assert loaded.rule_set is not None
    assert (len(loaded.rule_set.owners), len(loaded.rule_set.kpis), len(loaded.tests)) == (1, 2, 2)


def test_a_folder_that_must_be_mended_first_is_left_alone(folder: Path):
    (folder / "my-rules").mkdir()
    (folder / "my-rules" / "a.yaml").write_text("kind: rule\n", "utf-8")
    result = init(CSV, *TOLD)
    assert result.exit_code == 1
    assert "my-rules/a.yaml:1:1" in str(result.exception)
    assert set(texts(folder)) == {"my-rules/a.yaml"}


def test_in_a_script_everything_that_is_missing_is_told_at_once():
    problems = str(init(CSV, "--yes", "--value", "ticket").exception)
    assert [line.split(":")[0] for line in problems.splitlines()] == ["--owner", "--objective", "--zone"]


def test_a_zone_that_does_not_exist_is_wrong_usage():
    result = init(CSV, *WHO, "--zone", "Europe/Wien", "--yes")
    assert result.exit_code == 2
    assert "expected a time zone" in result.output


@pytest.mark.parametrize("suffix", ["ndjson", "parquet"])
def test_ndjson_and_parquet_give_what_csv_gives(folder: Path, suffix: str):
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(CSV)
    if suffix == "ndjson":
        table.to_json(folder / "helpdesk.ndjson", orient="records", lines=True)
    else:
        table.to_parquet(folder / "helpdesk.parquet")
    assert init(f"helpdesk.{suffix}", *TOLD).exit_code == 0
    init(CSV, *TOLD, "--out", "of-csv")
    of_csv, found = texts(folder / "of-csv"), texts(folder / "my-rules")
    assert {
        name: text.replace(f".{suffix}", ".csv").replace("my-rules", "of-csv") for name, text in found.items()
    } == of_csv


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_what_stands_between_the_columns_is_seen(folder: Path, delimiter: str):
    (folder / "helpdesk.csv").write_text(Path(CSV).read_text("utf-8").replace(",", delimiter), "utf-8")
    assert init("helpdesk.csv", *TOLD).exit_code == 0


@pytest.fixture
def payments() -> Iterator[str]:
    """A broker with a topic of nested messages of somebody else."""
    with EmbeddedBroker() as broker:
        broker.create_topics({"shop.payments": 2, "empty": 1, "text": 1})
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for line in (DATA / "payments.ndjson").read_bytes().splitlines():
            producer.produce("shop.payments", line)
        producer.produce("text", b"hello")
        producer.flush(10)
        yield broker.bootstrap


def test_a_topic_becomes_a_source_with_paths_into_its_messages(folder: Path, payments: str):
    arguments = (
        "--value",
        "payment.duration_ms",
        "--dimension",
        "payment.method",
        *WHO,
        "--yes",
        "--brokers",
        payments,
    )
    result = init("shop.payments", *arguments)
    assert result.exit_code == 0, result.output
    loaded = load([folder / "my-rules"], tests=True)
    assert loaded.rule_set is not None
    [source] = loaded.rule_set.sources
    [mapping] = source.mappings
    assert (source.id, source.topic) == ("shop.payments", "shop.payments")
    assert (mapping.value.path, mapping.time.path, mapping.time_unit) == ("payment.duration_ms", "created", "ms")
    assert {name: rule.path for name, rule in mapping.dimensions.items()} == {"method": "payment.method"}
    assert [rule.path for rule in mapping.id] == ["id"]
    lines = str(DATA / "payments.ndjson")
    shown = CliRunner().invoke(app, ["try-source", "shop.payments", "--rules", "my-rules", "--file", lines])
    assert "10 messages: 10 measurements, 0 refused" in shown.output


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("empty", "empty: expected at least one message, found none"),
        ("text", "text: expected JSON objects, found 'hello'"),
    ],
)
def test_a_topic_without_anything_to_go_by_is_refused(topic: str, said: str, payments: str):
    assert said in str(init(topic, *TOLD, "--brokers", payments).exception)


def test_on_a_terminal_it_asks_what_it_cannot_know(folder: Path):
    shown = on_a_terminal(
        ["init", "--from", CSV, "--dimension", "team"],
        [
            "Customer support",
            "Whoever needs help gets it soon",
            "",
            "Call in the second shift",
            "Nowhere",
            "Europe/Vienna",
            "y",
        ],
    )
    for question in (
        "Who answers for",
        "What is it for?",
        "Which way is better?",
        "Whose local time is opened_at?",
        "Write 4 files",
    ):
        assert question in shown
    assert "Nowhere is no name" in shown
    loaded = load([folder / "my-rules"], tests=True)
    assert loaded.rule_set is not None
    [kpi] = loaded.rule_set.kpis
    assert (kpi.owner, kpi.direction, kpi.decision) == (
        "customer-support",
        "lower_is_better",
        "Call in the second shift",
    )


def test_on_a_terminal_no_is_no(folder: Path):
    on_a_terminal(["init", "--from", CSV, *WHO, "--zone", "UTC"], ["", "none", "n"])
    assert texts(folder) == {}


def on_a_terminal(arguments: list[str], answers: list[str]) -> str:
    """What a process shows that has a terminal for its input, where the answers have been typed already."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        command = [sys.executable, "-c", "from engine.cli import main; main()", *arguments]
        done = subprocess.run(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return done.stdout
