"""The alerts on the engine: they load, they fire on planted faults, they ask for what there is, and say what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from queries import unknown

from engine.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
OPERATIONS = ROOT / "docs" / "operations.md"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
}
TEST_FILES = sorted(PROMETHEUS.glob("*_test.yml"))
TESTS: list[dict[str, Any]] = [test for file in TEST_FILES for test in yaml.safe_load(file.read_text("utf-8"))["tests"]]
ALWAYS = {"Watchdog"}


def assert_fine(done: CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_and_the_configuration_are_what_prometheus_reads(promtool: Callable[..., CompletedProcess[str]]):
    assert_fine(promtool("check", "rules", PROMETHEUS / "alerts.yml"))
    assert_fine(promtool("check", "config", PROMETHEUS / "prometheus.yml"))


def test_alertmanagers_configuration_is_what_it_reads(amtool: Callable[..., CompletedProcess[str]]):
    assert_fine(amtool("check-config", ROOT / "deploy" / "alertmanager" / "alertmanager.yml"))


def test_every_alert_does_what_its_unit_tests_say(promtool: Callable[..., CompletedProcess[str]]):
    assert_fine(promtool("test", "rules", *TEST_FILES))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "Watchdog", "severity": "none"}, "dead-mans-switch"),
        ({"alertname": "CounterpointNoWorkers", "severity": "critical"}, "on-call"),
        ({"alertname": "CounterpointForwardShare", "severity": "info"}, "by-day"),
    ],
)
def test_an_alert_goes_to_whom_it_concerns(
    labels: dict[str, str], receiver: str, amtool: Callable[..., CompletedProcess[str]]
):
    config = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = amtool("config", "routes", "test", f"--config.file={config}", *pairs)
    assert_fine(done)
    assert done.stdout.split() == [receiver]


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_was_seen_firing_and_silent(name: str):
    checks = [check["exp_alerts"] for test in TESTS for check in test["alert_rule_test"] if check["alertname"] == name]
    assert any(checks)
    assert name in ALWAYS or not all(checks)


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_asks_for_what_workers_show(name: str):
    assert unknown(ALERTS[name]["expr"]) == []


@pytest.mark.parametrize(
    "expression",
    ["counterpoint_late", 'counterpoint_late_total{topic="a"}', "sum by (reasons) (counterpoint_dead_letters_total)"],
)
def test_an_expression_that_asks_for_nothing_that_there_is_would_be_noticed(expression: str):
    assert unknown(expression)


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_what_is_wrong_and_where_to_read_on(name: str):
    annotations = ALERTS[name]["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url"}
    assert annotations["runbook_url"] == f"docs/operations.md#{name.lower()}"
    section = re.search(rf"^### {name}\n\n(.+?)(?=^##|\Z)", OPERATIONS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert section is not None, f"a section `### {name}` is missing in {OPERATIONS}"
    assert ALERTS[name]["labels"]["severity"] in {"critical", "warning", "info", "none"}


def test_there_is_a_section_for_no_alert_that_is_gone():
    text = OPERATIONS.read_text("utf-8")
    runbooks = text[text.index("## Runbooks\n") :].split("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", runbooks, re.MULTILINE)) == set(ALERTS)


def test_workers_are_scraped_where_they_serve():
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    [targets] = [
        job["static_configs"][0]["targets"] for job in config["scrape_configs"] if "counter" in job["job_name"]
    ]
    assert [target.rpartition(":")[2] for target in targets] == [str(Settings().http_port)]
