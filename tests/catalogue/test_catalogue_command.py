from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from catalogue_world import NOW, STATES, TRIGGERS
from confluent_kafka import Producer

from engine.brokers.topics import plan
from engine.cli.main import main
from engine.errors import BrokerError, ConfigError

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker

HERE = Path(__file__).parent
RULES = ("--rules", str(HERE / "rules"), "--at", NOW)


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["catalogue", *arguments])
    return int(stop.value.code or 0)


@pytest.fixture
def served(embedded: EmbeddedBroker) -> str:
    """A broker that holds what the topics said."""
    embedded.create_topics({topic.name: topic.partitions for topic in plan("c", 1, 2)})
    producer = Producer({"bootstrap.servers": embedded.bootstrap})
    for state in STATES:
        producer.produce("c.kpi-state", msgspec.json.encode(state), key=state.series)
    for trigger in (*TRIGGERS, *TRIGGERS[:3]):
        producer.produce("c.review-triggers", msgspec.json.encode(trigger), key=trigger.data.review)
    producer.flush()
    return embedded.bootstrap


def test_both_show_what_stands_in_the_topics(served: str, capsys: pytest.CaptureFixture[str]):
    place = ("--brokers", served, "--prefix", "c", "--broker")
    for what in ("tree", "audit"):
        assert _run(what, *RULES, *place) == 0
        assert capsys.readouterr().out == (HERE / "golden" / f"{what}_120.txt").read_text("utf-8")
        assert _run(what, *RULES, *place, "--format", "json") == 0
        whole, golden = capsys.readouterr().out, (HERE / "golden" / f"{what}.json").read_bytes()
        assert msgspec.json.decode(whole) == msgspec.json.decode(golden)


def test_an_earlier_time_knows_nothing_of_what_came_later(served: str, capsys: pytest.CaptureFixture[str]):
    place = ("--brokers", served, "--prefix", "c", "--rules", str(HERE / "rules"))
    assert _run("tree", *place, "--at", "2026-06-01T12:00:00Z") == 0
    assert "conflicting" not in capsys.readouterr().out


def test_without_a_broker_it_says_that_nothing_was_read(capsys: pytest.CaptureFixture[str]):
    assert _run("tree", *RULES, "--no-broker") == 0
    assert "No values were read: no broker was to be asked" in capsys.readouterr().out
    assert _run("tree", *RULES, "--brokers", "127.0.0.1:1") == 0
    assert "No values were read: expected a broker at 127.0.0.1:1" in capsys.readouterr().out


def test_who_insists_on_a_broker_gets_an_error_without_one():
    from typer.main import get_command  # noqa: PLC0415 - the error as it is, before `main` prints it

    from engine.cli.main import app  # noqa: PLC0415

    with pytest.raises(BrokerError):
        get_command(app).main(
            ["catalogue", "tree", *RULES, "--broker", "--brokers", "127.0.0.1:1"], standalone_mode=False
        )


def test_only_strict_fails_when_there_is_something_to_mend(capsys: pytest.CaptureFixture[str]):
    assert _run("audit", *RULES, "--no-broker") == 0
    assert _run("audit", *RULES, "--no-broker", "--strict") == 1
    assert capsys.readouterr().out.count("no-target: ") == 2


def test_rules_that_are_not_sound_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.yaml").write_text("kind: owner\nid: a\nnam: A\n")
    assert issubclass(ConfigError, Exception)
    assert _run("audit", "--rules", str(tmp_path), "--no-broker") == 1
    assert "a.yaml:3:1" in capsys.readouterr().err
