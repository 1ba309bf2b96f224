"""The log is asked as files are: over the shop's five months both say the same, at any time."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from explain_world import at, history, world
from memory_installation import PARTITIONS, copy_to
from typer.testing import CliRunner

from engine.brokers.topics import plan
from engine.cli.main import app
from engine.model.time import HOUR
from engine.offline.backtest.files import Reading
from engine.offline.explain.log_check import Question
from engine.offline.why.files import answer_of_files, health_of_files
from engine.offline.why.health_log import health_of_log
from engine.offline.why.log import ask_log
from engine.offline.why.named import series_of
from engine.runtime.context import StageContext

if TYPE_CHECKING:
    from pathlib import Path

    from engine.brokers.embedded import EmbeddedBroker
    from engine.offline.why.gates import Answer

QUESTIONS = [
    ("latency-above", "page=home", at(2, 12.5), None),
    ("latency-outside", "page=home", at(2, 12.5), None),
    ("orders-missing", "region=us", at(19, 12), "within_bounds"),
    ("orders-missing", "region=us", at(22, 12), "already_firing"),
    ("growth-paid-for", "region=eu", at(21, 12), "within_bounds"),
    ("growth-paid-for", "region=eu", at(31, 23.5), None),
    ("wait-runs", "desk=lasting", at(20, 12), "warm_up"),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "rows.ndjson"
    path.write_text("".join(json.dumps(msgspec.to_builtins(told)) + "\n" for _, told in history()), "utf-8")
    return path


def of_log(rule: str, series: str, moment: int) -> Answer:
    return asyncio.run(ask_log(Question(world().log, StageContext), rule, series, moment))[0]


@pytest.mark.parametrize(("rule", "series", "moment", "gate"), QUESTIONS)
def test_log_and_files_give_the_same_answer(rule: str, series: str, moment: int, gate: str | None, rows: Path):
    rules = world().rule_set
    named = series_of(series, rule, rules)
    of_files = answer_of_files(rules, rule, named, [rows], Reading(), moment, HOUR)
    assert of_files.gate == gate
    assert of_log(rule, series, moment) == of_files


def test_rules_fare_in_the_log_as_in_files(rows: Path):
    rules, moment = world().rule_set, at(30, 12)
    of_files = health_of_files(rules, [rows], Reading(), moment, HOUR, 5)
    found = asyncio.run(health_of_log(Question(world().log, StageContext), moment, 5))
    assert {rule.rule: rule.series for rule in found.rules} == {rule.rule: rule.series for rule in of_files.rules}
    assert {rule.rule: rule.evaluated for rule in found.rules} == {rule.rule: rule.evaluated for rule in of_files.rules}
    assert {rule.rule: len(rule.last) for rule in found.rules} == {rule.rule: len(rule.last) for rule in of_files.rules}
    evaluated = {rule.rule: rule.evaluations for rule in of_files.rules}
    assert {rule.rule: rule.evaluations for rule in found.rules} == evaluated
    assert all(evaluated.values())


@pytest.fixture
def options(embedded: EmbeddedBroker) -> list[str]:
    embedded.create_topics({topic.name: topic.partitions for topic in plan("shop", PARTITIONS)})
    return [*copy_to(embedded.bootstrap, "shop", world().log), "--set", "domain=replay"]


def test_the_commands_ask_a_broker(options: list[str]):
    asked = ["why-not", "latency-above", "page=home", "--at", "2024-03-13T12:30:00Z", "--json"]
    done = CliRunner().invoke(app, [*asked, *options])
    assert done.exit_code == 3, done.output
    assert json.loads(done.stdout)["sentence"].startswith("It did fire: Latency of {page home} was 3.25 ")
    done = CliRunner().invoke(app, ["rules", "--at", "2024-03-13T12:30:00Z", "--json", *options])
    assert done.exit_code == 0, done.output
    [rule] = [each for each in json.loads(done.stdout)["rules"] if each["rule"] == "latency-above"]
    assert rule["series"]["firing"] == 1
    refused = CliRunner().invoke(app, ["why-not", "latency-above", "page={", *options])
    assert refused.exit_code == 2
