"""`counterpoint undelivered` and `counterpoint deliver` as a user runs them, on the embedded broker."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from deliver_world import Got, make_worker, output, review_id, run_until, trigger

from engine.brokers.topics import plan
from engine.cli import main
from engine.deliver.receiver import Delivered, Refused
from engine.runtime.kafka_log import KafkaLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.deliver.worker import DeliveryWorker

Capture = pytest.CaptureFixture[str]


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def options(broker: EmbeddedBroker) -> list[str]:
    return ["--brokers", broker.bootstrap, "--prefix", "a"]


@asynccontextmanager
async def working(broker: EmbeddedBroker, *receivers: Got) -> AsyncIterator[tuple[KafkaLog, DeliveryWorker]]:
    async with KafkaLog(broker.bootstrap, "a", group="a.deliver") as log:
        yield log, make_worker(log, receivers)


def parked(worker: DeliveryWorker) -> float:
    return worker.metrics.registry.get_sample_value("counterpoint_deliveries_parked_total", {"receiver": "mail"}) or 0


def park_two(broker: EmbeddedBroker, capsys: Capture) -> None:
    """A mail that is refused of each of two reviews."""
    broker.create_topics({topic.name: topic.partitions for topic in plan("a", 1, 2)})
    mail = Got("mail")
    mail.answer = lambda _: Refused("550 no such mailbox")

    async def play() -> None:
        async with working(broker, mail) as (log, worker):
            await log.append([output(trigger(1, 1, "opened")), output(trigger(2, 1, "opened", severity="warning"))])
            await run_until(worker, lambda: parked(worker) == 2)

    asyncio.run(play())
    capsys.readouterr()  # what the worker has logged


def test_what_was_refused_is_listed_with_the_receivers_own_words_and_nothing_sensitive(
    embedded: EmbeddedBroker, capsys: Capture
):
    park_two(embedded, capsys)
    assert run("undelivered", "list", *options(embedded)) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert all("1 attempt: 550 no such mailbox" in line for line in shown.out.splitlines())
    assert "above the limit" not in shown.out
    assert shown.err == "2 undelivered\n"
    assert run("undelivered", "list", "severity=critical", *options(embedded), "--format", "json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["id"], found["receiver"], found["what"]) == (f"{review_id(1)}-1", "mail", "opened tickets-high")


def test_what_is_replayed_reaches_its_receiver_when_a_worker_runs(embedded: EmbeddedBroker, capsys: Capture):
    park_two(embedded, capsys)
    assert run("undelivered", "replay", "receiver=mail", "severity=warning", *options(embedded), "--who", "kim") == 0
    assert capsys.readouterr().out == "1 asked for again\n"
    mail = Got("mail")
    mail.answer = lambda _: Delivered()

    async def play() -> None:
        async with working(embedded, mail) as (_, worker):
            await run_until(worker, lambda: bool(mail.got))

    asyncio.run(play())
    capsys.readouterr()
    assert mail.got == [(f"{review_id(2)}-1", True)]
    assert run("undelivered", "list", *options(embedded)) == 0
    assert capsys.readouterr().err == "1 undelivered\n"


def test_a_selector_that_is_none_is_refused_with_what_was_expected(embedded: EmbeddedBroker, capsys: Capture):
    assert run("undelivered", "list", "mail", *options(embedded)) == 1
    assert "LABEL=VALUE" in capsys.readouterr().err


def test_without_topics_nothing_is_delivered_and_the_reason_is_said(
    embedded: EmbeddedBroker, capsys: Capture, tmp_path: Path
):
    path = tmp_path / "delivery.yaml"
    path.write_text("kind: receiver\nid: alerts\ntype: alertmanager\nurl: http://127.0.0.1:9\n", "utf-8")
    assert run("deliver", *options(embedded), "--delivery", str(path)) == 1
    assert "topic 'a.deliveries': expected it at the broker, found none" in capsys.readouterr().err


def test_without_a_delivery_file_it_says_where_one_is_looked_for(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert run("deliver", "--check") == 1
    assert "delivery.yaml" in capsys.readouterr().err
