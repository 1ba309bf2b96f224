"""The doctor as a command, on brokers: what it is told of is what is there."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from monitoring import eventually

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.topics import TopicAdmin, plan
from engine.cli import main
from engine.cli.demo_worker import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.brokers.kafka import KafkaBroker

RULES = """
kind: owner
id: ops
name: Operations
---
kind: objective
id: calm
title: Hosts are calm
owner: ops
---
kind: kpi
id: load
title: Load
owner: ops
objective: calm
definition: Requests a second
decision: none
direction: lower_is_better
role: lagging
unit: requests
aggregation: mean
window: {every: 60s}
dimensions: [host]
target: none
---
kind: rule
id: load-high
title: Load is high
kpi: load
condition: {threshold: {above: 10}}
severity: info
---
kind: source
id: crm
topic: TOPIC
map:
  - kpi: load
    value: {path: load}
    time: {path: at, unit: rfc3339}
"""


@pytest.fixture
def prefix(prefix: str) -> str:
    """Short enough to be a setting."""
    return prefix[-80:].strip("-")


class Patient:
    """The settings of an installation, and the doctor with them."""

    def __init__(self, folder: Path, bootstrap: str, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.bootstrap, self.prefix, self.source = bootstrap, prefix, f"{prefix}.foreign"
        (folder / "rules.yaml").write_text(RULES.replace("TOPIC", self.source))
        self.options = ["--brokers", bootstrap, "--prefix", prefix, "--rules", str(folder / "rules.yaml")]
        self.options += ["--set", "measurement_partitions=2", "--set", "finding_partitions=1"]
        self.options += ["--set", "tick_interval=5s"]
        self._capsys = capsys

    def topics(self) -> None:
        """Make all of them."""
        TopicAdmin(self.bootstrap).create(
            [*plan(self.prefix, 2, 1), plan(self.prefix, 1)[-1]._replace(name=self.source)]
        )

    def seen(self, *more: str, status: int = 0) -> dict[str, Any]:
        """What is not well, by what it is about, and the number of each verdict."""
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *self.options, "--set", "http_port=0", *more, "--format", "json"])
        report = json.loads(self._capsys.readouterr().out)
        said = {each["about"]: each for each in report["diagnoses"] if each["verdict"] != "ok"}
        assert ended.value.code == status, said
        assert report["ok"] == (status == 0)
        return {**said, "counts": report["counts"]}

    def alter(self, topic: str, name: str, value: str) -> None:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, f"{self.prefix}.{topic}", incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        [future] = admin.incremental_alter_configs([resource]).values()
        future.result()
        topics = TopicAdmin(self.bootstrap)
        eventually(lambda: topics.settings(f"{self.prefix}.{topic}")[name] == value)

    def worker(self) -> WorkerProcess:
        return WorkerProcess([*self.options, "--start-at", "earliest"])


@pytest.fixture
def patient(tmp_path: Path, prefix: str, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Patient]:
    return lambda bootstrap: Patient(tmp_path, bootstrap, prefix, capsys)


def _all_well(seen: dict[str, Any]) -> dict[str, Any]:
    """Nothing while there are too few ticks to tell the clocks by, or a rebalance is under way."""
    return seen if seen.keys() == {"counts"} else {}


class Nobody(BaseHTTPRequestHandler):
    """Answers everything with a refusal."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def occupied() -> Iterator[int]:
    """Somebody else's server; its port."""
    with HTTPServer(("127.0.0.1", 0), Nobody) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def test_an_embedded_broker_is_known_as_one_and_what_it_cannot_tell_is_left_open(
    embedded: EmbeddedBroker, patient: Callable[[str], Patient]
):
    healthy = patient(embedded.bootstrap)
    embedded.create_topics({topic.name: topic.partitions for topic in plan(healthy.prefix, 2, 1)})
    embedded.create_topics({healthy.source: 1})
    seen = healthy.seen()
    assert seen[embedded.bootstrap]["found"].startswith("the embedded broker")
    assert {verdict: seen["counts"].get(verdict) for verdict in ("warning", "problem", "unknown")} == {
        "warning": 1,
        "problem": None,
        "unknown": 3,
    }


def test_topics_that_are_missing_or_otherwise_are_problems(embedded: EmbeddedBroker, patient: Callable[[str], Patient]):
    sick = patient(embedded.bootstrap)
    embedded.create_topics({topic.name: topic.partitions for topic in plan(sick.prefix, 4, 1)[:-1]})
    seen = sick.seen(status=1)
    assert (seen[f"{sick.prefix}.measurements"]["expected"], seen[f"{sick.prefix}.measurements"]["found"]) == (
        "2 partitions",
        "4",
    )
    assert seen[f"{sick.prefix}.deliveries"]["found"] == "none"
    assert seen["source crm"]["expected"] == f"its topic {sick.source} at the broker"


def test_a_broker_that_is_away_hides_nothing_of_the_rest(
    patient: Callable[[str], Patient], capsys: pytest.CaptureFixture[str]
):
    with EmbeddedBroker() as broker:
        gone = patient(broker.bootstrap)
    seen = gone.seen(status=1)
    assert seen[gone.bootstrap]["verdict"] == "problem"
    assert seen["counts"] == {"ok": 3, "problem": 1, "unknown": 5}
    with pytest.raises(SystemExit):
        main(["doctor", *gone.options])
    assert "expected a broker that answers" in capsys.readouterr().out


def test_settings_and_rules_are_named_with_everything_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "counterpoint.yaml").write_text("brokers: [nowhere]\ntick_intervall: 5s\n")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--config", str(tmp_path / "counterpoint.yaml")])
    assert ended.value.code == 1
    shown = capsys.readouterr().out
    assert f"{tmp_path}/counterpoint.yaml:1:1" in shown
    assert "did you mean tick_interval?" in shown
    assert shown.endswith("0 ok, 0 warnings, 2 problems\n")


def test_wrong_usage_is_status_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--format", "yaml"])
    assert ended.value.code == 2
    assert "yaml" in capsys.readouterr().err


def test_a_port_that_somebody_else_holds_is_noticed(embedded: EmbeddedBroker, patient: Callable[[str], Patient]):
    with occupied() as port:
        seen = patient(embedded.bootstrap).seen("--set", f"http_port={port}", status=1)
    assert seen[f"127.0.0.1:{port}"]["expected"] == "it to be free, or a worker to answer"


@pytest.mark.kafka
def test_a_running_installation_is_well_and_one_that_stopped_says_so(
    kafka: KafkaBroker, patient: Callable[[str], Patient]
):
    healthy = patient(kafka.bootstrap)
    healthy.topics()
    assert healthy.seen()[f"group {healthy.prefix}"]["found"] == "none"
    with healthy.worker() as worker:
        deadline = time.monotonic() + 60
        while (worker.counts() or {}).get("counterpoint_checkpoints_total", 0) < 3:
            worker.require_alive()
            assert time.monotonic() < deadline, worker.tail()
            time.sleep(0.2)
        port = worker._find_port()  # noqa: SLF001 (it took a free one)
        seen = eventually(lambda: _all_well(healthy.seen("--set", f"http_port={port}")))
        assert seen["counts"].keys() == {"ok"}
    assert healthy.seen()[f"group {healthy.prefix}"]["verdict"] == "warning"
    # A topic made anew under old state: what a worker would refuse, the doctor names.
    topic = plan(healthy.prefix, 2, 1)[0]
    TopicAdmin(kafka.bootstrap).delete([topic])
    TopicAdmin(kafka.bootstrap).create([topic])
    seen = healthy.seen(status=1)
    assert "deleted and made anew" in seen["checkpoint of measurements[0] and 1 more"]["found"]


@pytest.mark.kafka
def test_faults_planted_in_a_real_kafka_are_found(kafka: KafkaBroker, patient: Callable[[str], Patient]):
    sick = patient(kafka.bootstrap)
    sick.topics()
    sick.alter("measurements", "message.timestamp.type", "CreateTime")
    sick.alter("findings", "retention.ms", "3600000")
    sick.alter("checkpoints", "cleanup.policy", "delete")
    sick.alter("control", "max.message.bytes", "1000")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    ahead = int((time.time() + 3600) * 1000)
    producer.produce(f"{sick.prefix}.measurements", b"{}", partition=0, timestamp=ahead)
    assert producer.flush(10) == 0
    seen = sick.seen(status=1)
    named = {
        about: each["expected"] for about, each in seen.items() if about != "counts" and each["verdict"] == "problem"
    }
    assert named == {
        f"{sick.prefix}.measurements": "message.timestamp.type=LogAppendTime",
        f"{sick.prefix}.findings": "records kept 90 days",
        f"{sick.prefix}.checkpoints": "cleanup.policy=compact",
        f"{sick.prefix}.control": "max.message.bytes of at least 8,388,608",
        "broker": "no record from our future",
        f"group {sick.prefix}": "a worker at least",
    }
    assert seen["checkpoints"]["found"] == "no checkpoint, and no start_at"
