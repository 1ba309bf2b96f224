"""Settings: where they come from, which one counts, and what is said of wrong ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.cli.main import main
from engine.errors import ConfigError
from engine.model.limits import Limits
from engine.model.time import DAY, HOUR, MINUTE, SECOND
from engine.runtime.settings import Settings, format_duration, parse_duration
from engine.runtime.settings_sources import DEFAULT, load_settings, setting_names

if TYPE_CHECKING:
    from pathlib import Path


def problems_of(
    file: Path | None = None, environment: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(file, environment, flags)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "counterpoint.yaml"


def test_without_anything_every_setting_is_its_default():
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {DEFAULT}
    assert tuple(loaded.origins) == tuple(setting_names())


def test_flags_count_before_the_environment_and_that_before_the_file(file: Path):
    file.write_text("prefix: from-file\nhttp_port: 1\nlog_level: debug\n")
    environment = {"COUNTERPOINT_PREFIX": "from-environment", "COUNTERPOINT_HTTP_PORT": "2", "HOME": "/nowhere"}
    settings, origins = load_settings(file, environment, {"prefix": "from-flag", "http_port": None})
    assert (settings.prefix, settings.http_port, settings.log_level) == ("from-flag", 2, "debug")
    assert origins["prefix"] == "flag prefix"
    assert origins["http_port"] == "environment COUNTERPOINT_HTTP_PORT"
    assert origins["log_level"] == f"{file}:3:1"


def test_values_mean_the_same_in_every_origin(file: Path):
    file.write_text(
        "brokers: [a:1, 'b:2']\ntick_interval: 5s\nkpi_gauges: true\nprefix: no\nlimits:\n  dimensions_max: 3\n"
    )
    environment = {
        "COUNTERPOINT_BROKERS": "a:1, b:2",
        "COUNTERPOINT_TICK_INTERVAL": "5s",
        "COUNTERPOINT_KPI_GAUGES": "true",
        "COUNTERPOINT_PREFIX": "no",
        "COUNTERPOINT_LIMITS_DIMENSIONS_MAX": "3",
    }
    flags = {name.removeprefix("COUNTERPOINT_").lower(): value for name, value in environment.items()}
    flags["limits.dimensions_max"] = flags.pop("limits_dimensions_max")
    from_file = load_settings(file).settings
    assert from_file == load_settings(environment=environment).settings
    assert from_file == load_settings(flags=dict(flags)).settings
    assert from_file.brokers == ("a:1", "b:2")
    assert from_file.tick_interval == 5 * SECOND
    assert from_file.prefix == "no"
    assert from_file.engine_limits == Limits(dimensions_max=3)


def test_paths_in_a_file_are_meant_from_where_it_stands(file: Path):
    file.write_text("rules: [packs, more]\ntls_ca_file: ca.pem\n")
    settings = load_settings(file).settings
    assert settings.rules == (file.parent / "packs", file.parent / "more")
    assert settings.tls_ca_file == file.parent / "ca.pem"


def test_every_problem_of_every_origin_is_said_at_once(file: Path):
    file.write_text("prefixx: a\nhttp_port: many\nlimits:\n  dimensions_max: 0\n  dimension_max: 1\n")
    environment = {"COUNTERPOINT_TICK_INTERVAL": "10", "COUNTERPOINT_BROKERS": "kafka"}
    found = problems_of(file, environment, {"domain": "dreamt"})
    assert len(found) == 7
    text = "\n".join(found)
    assert f"{file}:1:1: prefixx: expected the name of a setting, found none of this name; did you mean prefix?" in text
    assert f"{file}:2:1: http_port: expected a valid integer" in text
    assert f"{file}:4:3: limits.dimensions_max: expected greater than 0" in text.replace("expected to be", "expected")
    assert f"{file}:5:3: limits.dimension_max: " in text
    assert "environment COUNTERPOINT_TICK_INTERVAL: tick_interval: expected a whole number with a unit" in text
    assert "environment COUNTERPOINT_BROKERS: brokers: expected HOST:PORT such as kafka-1:9092" in text
    assert "flag domain: domain: expected 'live' or 'replay', found 'dreamt'" in text


def test_a_setting_written_twice_is_refused_with_both_places(file: Path):
    file.write_text("prefix: a\nprefix: b\n")
    (problem,) = problems_of(file)
    assert problem.startswith(f"{file}:2:1: prefix: expected once, found again (first at {file}:1:1)")


@pytest.mark.parametrize("text", ["- a\n", "just words\n"])
def test_a_file_that_holds_no_mapping_is_refused(file: Path, text: str):
    file.write_text(text)
    (problem,) = problems_of(file)
    assert "expected settings as `name: value`" in problem


def test_a_file_that_is_no_yaml_or_not_there_is_refused_by_name(file: Path):
    (missing,) = problems_of(file)
    assert missing.startswith(f"{file}: the settings file cannot be read")
    file.write_text("a: [\n")
    (broken,) = problems_of(file)
    assert broken.startswith(f"{file}: expected YAML")


def test_an_empty_file_changes_nothing(file: Path):
    file.write_text("# nothing yet\n")
    assert load_settings(file).settings == Settings()


def test_settings_that_contradict_each_other_are_refused_where_they_were_written():
    found = problems_of(
        environment={"COUNTERPOINT_FUTURE_MAX": "5s", "COUNTERPOINT_SECURITY_PROTOCOL": "SASL_SSL"},
        flags={"checkpoint_interval_max": "1s", "replication_factor": "0"},
    )
    assert len(found) == 4
    assert any(line.startswith("environment COUNTERPOINT_FUTURE_MAX: future_max: ") for line in found)
    assert any(line.startswith("environment COUNTERPOINT_SECURITY_PROTOCOL: security_protocol") for line in found)
    assert any(line.startswith("flag checkpoint_interval_max: ") for line in found)


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T00:00:00", "soon", "-1"])
def test_a_start_without_an_offset_or_that_is_no_time_is_refused(text: str):
    (problem,) = problems_of(flags={"start_at": text})
    assert "expected earliest, latest, or a time with its offset" in problem


def test_a_start_is_earliest_latest_or_a_time():
    assert load_settings(flags={"start_at": "latest"}).settings.start_at == "latest"
    assert load_settings(flags={"start_at": "1970-01-01T01:00:00+00:30"}).settings.start_at == 30 * MINUTE
    assert Settings().start_at is None


def test_findings_have_as_many_partitions_as_measurements_unless_said():
    assert Settings(measurement_partitions=3).finding_partitions == 3
    assert Settings(measurement_partitions=3, finding_partitions=2).finding_partitions == 2


@pytest.mark.parametrize(
    ("text", "micros"),
    [("500ms", 500_000), ("90s", 90 * SECOND), ("15m", 15 * MINUTE), ("6h", 6 * HOUR), ("2d", 2 * DAY)],
)
def test_durations_are_read_and_written_with_their_unit(text: str, micros: int):
    assert parse_duration(text) == micros
    assert parse_duration(format_duration(micros)) == micros


@pytest.mark.parametrize("text", ["10", "1.5h", "-1s", "1 h", "", "1y", True, None])
def test_a_duration_without_a_known_unit_is_refused(text: object):
    with pytest.raises(ValueError, match="whole number with a unit"):
        parse_duration(text)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["config", *arguments])
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.fixture
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_alone")
def test_config_masks_secrets_in_text_and_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COUNTERPOINT_SASL_PASSWORD", "hush-hush")
    monkeypatch.setenv("COUNTERPOINT_TLS_KEY_PASSWORD", "be-quiet")
    signed = ["--set", "security_protocol=SASL_SSL", "--set", "sasl_mechanism=PLAIN", "--set", "sasl_username=me"]
    for output in (shown(capsys, *signed), shown(capsys, *signed, "--format", "json")):
        assert "hush-hush" not in output
        assert "be-quiet" not in output
        assert output.count("********") == 2


def test_a_wrong_secret_is_not_repeated_in_its_problem():
    found = problems_of(flags={"sasl_password": ["hush-hush"]})
    assert "hush-hush" not in "\n".join(found)


@pytest.mark.parametrize(
    "url", ["beats.example.com/hush-hush", "file:///hush-hush", "http://me:hush-hush@beats", "http:///"]
)
def test_an_address_that_no_heartbeat_can_go_to_is_refused_without_being_shown(url: str):
    [problem] = problems_of(flags={"heartbeat_url": url})
    assert problem.startswith("flag heartbeat_url: heartbeat_url: expected an address such as https://")
    assert "hush-hush" not in problem


@pytest.mark.usefixtures("_alone")
def test_the_address_of_heartbeats_is_masked(capsys: pytest.CaptureFixture[str]):
    output = shown(capsys, "--set", "heartbeat_url=https://beats.example.com/hush-hush")
    assert "hush-hush" not in output
    assert "********" in output


@pytest.mark.usefixtures("_alone")
def test_config_shows_values_as_they_are_written_with_their_origin(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "counterpoint.yaml").write_text("tick_interval: 90s\n")
    values = json.loads(shown(capsys, "--start-at", "2013-01-01T00:00:00Z", "--format", "json"))
    assert list(values) == list(setting_names())
    assert values["tick_interval"] == {"value": "90s", "origin": "counterpoint.yaml:1:1"}
    assert values["start_at"] == {"value": "2013-01-01T00:00:00Z", "origin": "flag start_at"}
    assert values["brokers"] == {"value": ["127.0.0.1:9092"], "origin": "default"}
    lines = shown(capsys).splitlines()
    assert len(lines) == len(values)
    assert any(line.split() == ["tick_interval", "90s", "counterpoint.yaml:1:1"] for line in lines)


@pytest.mark.usefixtures("_alone")
def test_the_settings_file_is_named_by_flag_or_variable(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "one.yaml").write_text("prefix: one\n")
    (tmp_path / "two.yaml").write_text("prefix: two\n")
    monkeypatch.setenv("COUNTERPOINT_CONFIG", "one.yaml")
    assert json.loads(shown(capsys, "--format", "json"))["prefix"]["value"] == "one"
    assert json.loads(shown(capsys, "--config", "two.yaml", "--format", "json"))["prefix"]["value"] == "two"


def test_a_set_option_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(["config", "--set", "prefix"])
    assert stop.value.code == 1
    assert capsys.readouterr().err == "flag --set: expected NAME=VALUE, found 'prefix'\n"
