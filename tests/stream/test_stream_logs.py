"""A worker's log as whoever collects it sees it: JSON a line, its last words included; or text."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from stream_toy import make_topics, worker_process

from engine.telemetry.events import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker

DECLARED = {event.name: event for event in EVENTS}
ALWAYS = {"event", "level", "timestamp", "logger"}
RULES = "kind: owner\nid: ops\nname: Operations\n"


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run_worker(folder: Path, bootstrap: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "rules.yaml").write_text(RULES)
    command = [
        sys.executable,
        "-m",
        "engine",
        "worker",
        "--brokers",
        bootstrap,
        "--prefix",
        "logs",
        "--rules",
        str(folder),
    ]
    command += ["--set", "measurement_partitions=1", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


def test_what_ends_a_worker_is_its_last_line_in_the_form_of_the_log(embedded: EmbeddedBroker, tmp_path: Path):
    bootstrap = make_topics(embedded, "logs", 1)
    done = run_worker(tmp_path, bootstrap, "--set", "http_host=192.0.2.1", "--set", "log_format=json")
    assert (done.returncode, done.stdout) == (1, "")
    [*_, last] = lines_of(done.stderr)
    assert last.keys() == ALWAYS | {"reason"}
    assert (last["event"], last["level"]) == ("worker ended by a failure", "critical")
    assert last["reason"].startswith("http_host, http_port: cannot serve on 192.0.2.1:9464")


def test_on_request_a_log_is_text_for_people(embedded: EmbeddedBroker, tmp_path: Path):
    bootstrap = make_topics(embedded, "logs", 1)
    done = run_worker(tmp_path, bootstrap, "--set", "http_host=192.0.2.1", "--set", "log_format=console")
    assert "worker ended by a failure" in done.stderr
    with pytest.raises(json.JSONDecodeError):
        lines_of(done.stderr)


def test_every_line_of_a_worker_that_starts_and_stops_is_an_event_as_declared(embedded: EmbeddedBroker, tmp_path: Path):
    bootstrap = make_topics(embedded, "logs", 1)
    log = tmp_path / "log"
    with worker_process(log, bootstrap, "logs", 1, log_format="json") as worker:
        while not worker.said("partition recovered", 2):
            assert worker.process.poll() is None
        assert worker.drain() == 0
    told = lines_of(log.read_text())
    assert {line["event"] for line in told} >= {"worker starts", "partition recovered", "rule set requested"}
    assert told[-1]["event"] == "worker ended, everything done is committed"
    for line in told:
        assert line.keys() == ALWAYS | set(DECLARED[line["event"]].fields), line
        assert line["level"] == DECLARED[line["event"]].level
        assert line["logger"].startswith("engine.")
