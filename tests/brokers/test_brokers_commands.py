from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
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
    from collections.abc import Iterator
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


def kpi(name: str) -> str:
    """A sound KPI of that id with an owner and objective of its own."""
    return f"""\
kind: owner
id: {name}
name: Shop
---
kind: objective
id: {name}
title: More customers
owner: {name}
---
kind: kpi
id: {name}
title: {name}
owner: {name}
objective: {name}
definition: Of the shop
decision: none
direction: higher_is_better
role: lagging
unit: orders
aggregation: sum
window: {{every: day, zone: Europe/Vienna}}
dimensions: [to]
target: none
"""


def with_triggers(broker: EmbeddedBroker, *values: bytes, topic: str = "review-triggers") -> list[str]:
    """Write them to both partitions in turn; returns the options that lead there."""
    broker.create_topics({f"a.{topic}": 2})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number, value in enumerate(values):
        producer.produce(f"a.{topic}", value, partition=number % 2)
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


def test_triggers_of_rules_in_shadow_are_shown_when_asked_for(
    embedded: EmbeddedBroker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with_triggers(embedded, FIRST)
    options = with_triggers(embedded, SECOND, topic="shadow-triggers")
    assert command("triggers", "--shadow", "--format", "json", *options) == 0
    assert capfdbinary.readouterr().out == SECOND + b"\n"


@pytest.mark.parametrize(("option", "expected"), [((), SECOND), (("--follow",), FIRST)])
def test_so_many_triggers_are_the_newest_or_in_following_the_first(
    option: tuple[str, ...], expected: bytes, embedded: EmbeddedBroker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = with_triggers(embedded, FIRST, FIRST, SECOND)  # to partitions 0, 1 and 0
    assert command("triggers", "--count", "1", "--format", "json", *option, *options) == 0
    assert capfdbinary.readouterr().out == expected + b"\n"


TABLE = """\
kind: table
id: orders
map:
  - {kpi: shop.orders, value: 1, time: {column: day, zone: Europe/Vienna}, dimensions: {to: {column: country}}}
  - {kpi: shop.revenue, value: {column: amount}, time: {column: day, zone: Europe/Vienna}, id: [number]}
"""


def test_a_table_of_the_rules_says_which_column_is_what(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    embedded.create_topics({"a.measurements": 1})
    rows, rules = tmp_path / "a.csv", tmp_path / "rules"
    rows.write_text("day,country,amount,number,id\n2026-07-01,AT,12.5,7,x\n2026-07-02,DE,,8,y\n")
    rules.mkdir()
    (rules / "table.yaml").write_text(TABLE + "".join(f"---\n{kpi(name)}" for name in ("shop.orders", "shop.revenue")))
    options = ("--table", "orders", "--rules", str(rules), "--brokers", embedded.bootstrap, "--prefix", "a")
    assert command("send", str(rows), *options) == 0
    found = [msgspec.json.decode(value) for value in read_values(embedded.bootstrap, "a.measurements")]
    first, second = "2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"
    assert [(each["kpi"], each["time"], each["value"], each.get("id")) for each in found] == [
        ("shop.orders", first, 1, None),
        ("shop.orders", second, 1, None),
        ("shop.revenue", first, 12.5, "7"),
    ]
    assert [each.get("dimensions") for each in found] == [{"to": "AT"}, {"to": "DE"}, None]
    assert {each["source"] for each in found} == {"orders"}


def test_a_table_is_refused_by_name_and_beside_columns(
    embedded: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.yaml").write_text(
        TABLE + "".join(f"---\n{kpi(name)}" for name in ("shop.orders", "shop.revenue"))
    )
    options = ("a.csv", "--rules", str(tmp_path), "--brokers", embedded.bootstrap)
    assert command("send", *options, "--table", "order") == 2
    assert "expected the id of a table" in capsys.readouterr().err
    assert command("send", *options, "--table", "orders", "--value", "amount") == 2
    assert "without --kpi" in capsys.readouterr().err


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


@contextmanager
def running(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`counterpoint broker` as a process, with the first line that it prints."""
    whole = [sys.executable, "-c", "from engine.cli import main; main()", "broker", *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_the_embedded_broker_listens_where_the_settings_say() -> None:
    wanted = free_address()
    with running("--prefix", "a", "--brokers", wanted) as (address, _):
        assert address == wanted
        TopicAdmin(wanted).verify(plan("a", 12))


def test_the_embedded_broker_goes_elsewhere_when_its_address_is_taken_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = f"127.0.0.1:{taken.getsockname()[1]}"
        with running("--prefix", "a", "--brokers", wanted) as (address, process):
            TopicAdmin(address).verify(plan("a", 12))
            assert address != wanted
            process.send_signal(signal.SIGTERM)
            assert f"export COUNTERPOINT_BROKERS={address}" in process.communicate(timeout=20)[1]


def test_a_topic_of_others_holds_the_lines_of_a_file_and_what_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "payments.ndjson"
    file.write_bytes(b'{"a": 1}\n\n{"a": 2}\n{"a"')
    with running("--brokers", free_address(), "--topic", f"shop.payments={file}", "--topic", "other") as (address, _):
        assert TopicAdmin(address).partitions()["other"] == 1
        assert list(read_values(address, "shop.payments")) == [b'{"a": 1}', b'{"a": 2}']
        with file.open("ab") as more:
            more.write(b": 3}\n")
        values = read_values(address, "shop.payments", follow=True)
        assert list(itertools.islice(values, 3)) == [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']


def test_a_topic_without_its_file_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("broker", "--topic", f"shop.payments={tmp_path}/none") == 2
    assert "expected a file of messages" in capsys.readouterr().err
