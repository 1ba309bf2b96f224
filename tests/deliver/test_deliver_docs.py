"""docs/delivery.md says what is so: its YAML is a delivery file, and its outputs are what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.deliver.file import load_file
from engine.deliver.spec import EVERYTHING, FOR_PEOPLE, TYPES
from engine.deliver.template import NAMES
from engine.deliver.webhook import KIND_HEADER, REDELIVERED_HEADER
from engine.notify.notification import Kind, Why
from engine.runtime.settings import Settings

if TYPE_CHECKING:
    from typer.testing import Result

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "delivery.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
YAML = "---\n".join(body for language, body in BLOCKS if language == "yaml")
SECRETS = {
    "TICKETS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TICKETS_TOKEN": "token",
    "OPS_CHAT_URL": "json://127.0.0.1:9",
    "MAIL_PASSWORD": "password",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The YAML of the page as one delivery file, its secrets in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "delivery.yaml"
    path.write_text(YAML, "utf-8")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_yaml_of_the_page_is_one_sound_delivery_file_with_each_type_of_receiver(file: Path):
    loaded = load_file(file, SECRETS)
    assert loaded.problems == ()
    assert loaded.file is not None
    assert {spec.type for spec in loaded.file.receivers} == set(TYPES)
    assert set(re.findall(r"\$\{(\w+)\}", YAML)) == set(SECRETS)


def test_the_page_shows_what_route_test_prints(file: Path):
    [command] = re.findall(r"^    counterpoint (route test .*)$", PAGE, re.MULTILINE)
    done = run(*command.split(), "--delivery", str(file))
    assert done.exit_code == 0, done.output
    [shown] = [body for _, body in BLOCKS if body.startswith("route ")]
    assert shown == done.stdout


def test_the_message_of_the_page_is_one_of_those_that_are_compared():
    [shown] = [body for _, body in BLOCKS if body.startswith("[critical]")]
    golden = Path(__file__).parent / "golden" / "overdue.txt"
    assert shown.strip() == golden.read_text("utf-8").strip()


def test_the_page_names_everything_that_may_stand_in_the_file_and_all_reasons():
    names = {*NAMES, *get_args(Why), *get_args(Kind), KIND_HEADER, REDELIVERED_HEADER}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
    assert set(EVERYTHING) - set(FOR_PEOPLE) == {"updated", "commented"}


def test_the_settings_and_metrics_of_the_page_are_there():
    metrics = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    named = set(re.findall(r"counterpoint_\w+", PAGE))
    assert {name for name in named if f"`{name}`" not in metrics} == set()
    [listed] = re.findall(r"The settings are \[those of the workers\]\([^)]*\): (.*?)\. Topics", PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", listed)) <= set(Settings.model_fields)
