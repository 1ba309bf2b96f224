"""`counterpoint try-source`: messages before and after, from a file and from a topic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer

from engine.cli.main import main
from engine.cli.newest_messages import newest_messages
from engine.errors import BrokerError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker

RULES = """
kind: owner
id: ops
name: Operations
---
kind: objective
id: o
title: O
owner: ops
---
kind: kpi
id: support.tickets
title: Tickets
owner: ops
objective: o
definition: tickets opened
decision: none
direction: lower_is_better
role: lagging
unit: tickets
aggregation: sum
window: {every: day, zone: Europe/Berlin}
target: none
---
kind: source
id: crm
topic: crm.tickets.v1
map:
  kpi: support.tickets
  value: 1
  time: {path: created, unit: local, zone: Europe/London}
  id: ticket
  filter: [{path: status, equals: new}]
"""


def ticket(number: int, **changes: object) -> bytes:
    message = {"ticket": number, "created": "2013-07-08 06:00:00", "status": "new", **changes}
    return json.dumps(message).encode()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["try-source", *arguments])
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_messages_of_a_file_are_shown_before_and_after(rules: Path, capsys: pytest.CaptureFixture[str]):
    file = rules.with_name("messages.ndjson")
    lines = [ticket(7), ticket(8, created="soon"), ticket(9, status="old"), b"oops", b"\x1b[2J\xff"]
    file.write_bytes(b"\n".join(lines) + b"\n\n")
    assert run("crm", "--rules", str(rules), "--file", str(file)) == 0
    said = capsys.readouterr()
    table = "".join(said.out.split())
    assert '"time":"2013-07-08T05:00:00Z"' in table.replace("│", "")
    assert "bad_timeat$.created" in table.replace("│", "")
    assert "passedover" in table
    assert "\x1b" not in said.out
    assert said.err.startswith("5 messages: 1 measurements, 3 refused, 1 passed over")


def test_at_most_count_messages_are_shown(rules: Path, capsys: pytest.CaptureFixture[str]):
    file = rules.with_name("messages.ndjson")
    file.write_bytes(b"\n".join(ticket(number) for number in range(30)))
    assert run("crm", "--rules", str(rules), "--file", str(file)) == 0
    assert capsys.readouterr().err.startswith("10 messages: 10 measurements")
    assert run("crm", "--rules", str(rules), "--file", str(file), "--count", "3") == 0
    assert capsys.readouterr().err.startswith("3 messages: 3 measurements")


def test_an_unknown_source_is_wrong_usage_with_a_suggestion(rules: Path, capsys: pytest.CaptureFixture[str]):
    assert run("cmr", "--rules", str(rules)) == 2
    assert "did you mean crm?" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_wrong_usage(rules: Path):
    assert run("crm", "--rules", str(rules), "--file", str(rules.with_name("none"))) == 2


def test_the_newest_messages_of_a_topic_are_shown_oldest_first(
    rules: Path, embedded: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
):
    embedded.create_topics({"crm.tickets.v1": 1})
    assert run("crm", "--rules", str(rules), "--brokers", embedded.bootstrap) == 0
    assert "holds no messages yet" in capsys.readouterr().err
    producer = Producer({"bootstrap.servers": embedded.bootstrap})
    for number in range(25):
        producer.produce("crm.tickets.v1", ticket(number))
    producer.flush()
    found = newest_messages(embedded.bootstrap, "crm.tickets.v1", 10)
    assert [(partition, record.offset) for partition, record in found] == [(0, offset) for offset in range(15, 25)]
    assert [record.value for _, record in found] == [ticket(number) for number in range(15, 25)]
    assert run("crm", "--rules", str(rules), "--brokers", embedded.bootstrap) == 0
    said = capsys.readouterr()
    assert "crm/24" in said.out
    assert said.err.startswith("10 messages: 10 measurements")


def test_a_topic_that_is_not_there_is_refused_by_name(embedded: EmbeddedBroker):
    embedded.create_topics({"other": 1})
    with pytest.raises(BrokerError, match=r"crm\.tickets\.v1"):
        newest_messages(embedded.bootstrap, "crm.tickets.v1", 10)
