from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from confluent_kafka import Producer

from engine.brokers.reader import read_values
from engine.brokers.topics import TopicAdmin, plan
from engine.cli import main
from engine.model.trigger import ReviewTrigger, TriggerData
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.brokers.kafka import KafkaBroker


def command(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def trigger(ordinal: int, time: str, *, historical: bool = False) -> bytes:
    data = TriggerData(
        review="r",
        ordinal=ordinal,
        rule="cancelled-share-high",
        title="Too many",
        severity="warning",
        scope='{"origin":"EWR"}',
        kpi=None,
        owner="ops",
        participants=("sales",),
        objective=None,
        opened=time,
        due=None,
        question=None,
        runbook=None,
        explanation="More than three in ten were cancelled.",
        event_time=time,
        evidence=None,
        episode=None,
        historical=historical,
        cause=None,
        rule_set="h",
    )
    kind = "counterpoint.review.opened.v1"
    return encode_record(
        ReviewTrigger("1.0", f"r-{ordinal}", "/counterpoint", kind, "s", time, "application/json", data)
    )


def with_triggers(broker: EmbeddedBroker, *values: bytes) -> list[str]:
    """Write them to both partitions in turn; returns the options that lead there."""
    broker.create_topics({"a.review-triggers": 2})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number, value in enumerate(values):
        producer.produce("a.review-triggers", value, partition=number % 2)
    producer.flush(10)
    return ["--brokers", broker.bootstrap, "--prefix", "a"]


FIRST, SECOND = trigger(1, "2013-02-08T05:00:00Z"), trigger(2, "2013-02-09T05:00:00Z", historical=True)


def test_triggers_as_json_are_the_bytes_in_the_log_once_each_by_time(
    embedded: EmbeddedBroker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = with_triggers(embedded, SECOND, FIRST, FIRST, SECOND)
    assert command("triggers", "--format", "json", *options) == 0
    assert capfdbinary.readouterr().out == FIRST + b"\n" + SECOND + b"\n"


def test_triggers_as_a_table_say_when_what_whose_and_why(
    embedded: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("triggers", *with_triggers(embedded, SECOND, FIRST)) == 0
    shown = capsys.readouterr().out
    for word in (
        "2013-02-08T05:00:00Z",
        "opened",
        "warning",
        "cancelled-share-high",
        "EWR",
        "ops",
        "sales",
        "(historical)",
    ):
        assert word in shown
    assert "\x1b" not in shown


def test_triggers_since_a_time_leave_out_what_was_before(
    embedded: EmbeddedBroker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = with_triggers(embedded, FIRST, SECOND)
    assert command("triggers", "--format", "json", "--since", "2013-02-09T00:00:00Z", *options) == 0
    assert capfdbinary.readouterr().out == SECOND + b"\n"


def test_sending_checks_everything_before_it_sends_anything(
    embedded: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embedded.create_topics({"a.measurements": 2})
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("kpi,time,value\nk,1,1\n")
    bad.write_text("kpi,time,value\nk,1,none\n")
    assert command("send", str(good), str(bad), "--brokers", embedded.bootstrap, "--prefix", "a") == 1
    assert f"{bad}:2" in capsys.readouterr().err
    assert list(read_values(embedded.bootstrap, "a.measurements")) == []


def test_a_history_is_sent_by_time_with_ticks_that_go_on_after_it(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    embedded.create_topics({"a.measurements": 1})
    rows = tmp_path / "a.csv"
    rows.write_text("kpi,time,value,o\nk,2013-01-01T02:30:00Z,2,x\nk,2013-01-01T01:00:00Z,1,x\n")
    ticks = ("--replay-ticks", "1h", "--final-ticks", "1h", "--dim", "o")
    assert command("send", str(rows), *ticks, "--brokers", embedded.bootstrap, "--prefix", "a") == 0
    found = [msgspec.json.decode(value) for value in read_values(embedded.bootstrap, "a.measurements")]
    assert [record.get("value", record["time"]) for record in found] == [
        "2013-01-01T00:00:00Z",
        1,
        "2013-01-01T01:00:00Z",
        "2013-01-01T02:00:00Z",
        2,
        "2013-01-01T03:00:00Z",
    ]


def test_the_plan_needs_no_broker(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("topics", "--plan", "--prefix", "acme", "--set", "measurement_partitions=3") == 0
    assert "acme.checkpoints" in capsys.readouterr().out


@pytest.mark.kafka
def test_topics_are_made_and_deleted_by_command(kafka: KafkaBroker, prefix: str) -> None:
    options = ("--brokers", kafka.bootstrap, "--prefix", prefix, "--set", "measurement_partitions=1")
    names = {topic.name for topic in plan(prefix, 1)}
    assert command("topics", *options) == 0
    assert names <= TopicAdmin(kafka.bootstrap).partitions().keys()
    assert command("topics", "--delete", "--yes", *options) == 0
    assert not names & TopicAdmin(kafka.bootstrap).partitions().keys()


def test_the_embedded_broker_runs_in_the_foreground_until_it_is_told_to_stop() -> None:
    arguments = [sys.executable, "-c", "from engine.cli import main; main()", "broker", "--prefix", "a"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "NO_COLOR": "1"}
    ) as process:
        assert process.stdout is not None
        bootstrap = process.stdout.readline().strip()
        TopicAdmin(bootstrap).verify(plan("a", 12))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
