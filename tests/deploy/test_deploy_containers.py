"""Container file and compose file, as far as they can be checked where no container engine runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from engine.brokers.kafka import KafkaBroker
from engine.brokers.topics import TopicAdmin, plan
from engine.deliver.file import load_file
from engine.deliver.spec import AlertmanagerSpec
from engine.model.time import SECOND
from engine.rules.loader import load
from engine.runtime.settings import Settings
from engine.runtime.settings_sources import load_settings
from engine.stream.service import ENDING_GRACE

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PORT = Settings().http_port
_VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")


def instructions() -> list[tuple[str, str]]:
    """Of the container file: instruction and the rest, continued lines joined, comments left out."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in joined.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    """The instructions from each FROM on."""
    found: list[list[tuple[str, str]]] = []
    for each in instructions():
        if each[0] == "FROM":
            found.append([])
        found[-1].append(each)
    return found


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for instruction, rest in stage if instruction == name]


def environment_of(stage: list[tuple[str, str]]) -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in of(stage, "ENV") for pair in rest.split())


def let_through(path: str) -> bool:
    """Whether .dockerignore, which begins with `*`, leaves a file of the context in: the last line that fits counts."""
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    return f"!{path}" in lines


# The container file.


def test_the_image_is_built_in_one_stage_and_runs_in_another_from_the_same_pinned_base():
    build, run = stages()
    bases = {rest.split()[0] for stage in (build, run) for rest in of(stage, "FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())
    assert not [rest for rest in of(run, "RUN") if "apt-get" in rest or "pip" in rest]
    assert [rest for rest in of(run, "COPY") if not rest.startswith("--from=build ")] == []


def test_what_is_copied_is_there_and_is_let_into_the_build():
    copied = [source for rest in of(stages()[0], "COPY") for source in rest.split()[:-1]]
    assert {"pyproject.toml", "README.md", "LICENSE", "constraints.txt", "engine", "rules"} == set(copied)
    assert [source for source in copied if not (ROOT / source).exists() or not let_through(source)] == []


def test_packages_are_pinned_and_nothing_is_left_lying_about():
    build = stages()[0]
    [apt] = [rest for rest in of(build, "RUN") if "apt-get install" in rest]
    assert "--no-install-recommends" in apt
    assert apt.endswith("rm -rf /var/lib/apt/lists/*")
    position = [name for name, rest in build if name in {"ENV", "RUN"} and ("PIP_" in rest or "pip install" in rest)]
    assert position == ["ENV", "RUN"], "the pins come before what they hold for"
    assert environment_of(build)["PIP_CONSTRAINT"] == "/src/constraints.txt"
    assert not [name for name, _ in instructions() if name == "ADD"]


def test_kernels_are_compiled_from_what_is_installed_into_a_folder_that_the_worker_may_write_to():
    build, run = stages()
    [warm] = [
        at for at, (_, rest) in enumerate(build) if rest.endswith("/opt/counterpoint/bin/python -m engine.kernels.warm")
    ]
    assert "stat -c %Y" in build[warm][1], "an image keeps times in whole seconds, and they tell what was compiled"
    assert [rest for name, rest in build[:warm] if name == "WORKDIR"][-1] == "/", "else it takes the sources at /src"
    cache = environment_of(build)["NUMBA_CACHE_DIR"]
    assert environment_of(run)["NUMBA_CACHE_DIR"] == cache
    [user] = of(run, "USER")
    assert f"--from=build --chown={user}:{user} {cache} {cache}" in of(run, "COPY")
    assert any(f"--uid {user} " in rest for rest in of(run, "RUN"))
    assert int(user) > 0


def test_the_image_serves_where_it_says_and_is_asked_whether_it_is_well():
    run = stages()[1]
    assert of(run, "EXPOSE") == [str(PORT)]
    [check] = of(run, "HEALTHCHECK")
    command = json.loads(check[check.index("CMD ") + 4 :])
    assert f"http://127.0.0.1:{PORT}/healthz" in command[-1]
    compile(command[-1], "HEALTHCHECK", "exec")
    assert (of(run, "ENTRYPOINT"), of(run, "CMD")) == (['["counterpoint"]'], ['["worker"]'])
    assert of(run, "STOPSIGNAL") == ["SIGTERM"]
    given = {name: value for name, value in environment_of(run).items() if name.startswith("COUNTERPOINT_")}
    assert load_settings(environment=given).settings.http_host == "0.0.0.0"  # noqa: S104 (inside a container)


# The compose file.


def test_images_are_pinned_and_without_a_registry():
    images = [service["image"] for name, service in SERVICES.items() if "build" not in service]
    assert {image.partition(":")[0] for image in images} == {
        "apache/kafka",
        "prom/prometheus",
        "prom/alertmanager",
        "grafana/grafana",
    }
    assert all(re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", image) for image in images)


def test_what_services_wait_for_and_keep_is_declared():
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            assert condition["condition"] in {"service_healthy", "service_completed_successfully"}
            assert condition["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {volume for volume in named if volume[0] not in "./$"} == set(COMPOSE["volumes"])


def test_every_file_that_is_mounted_is_there_and_cannot_be_written_to():
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    for mount in mounts:
        source, _, rest = _VARIABLE.sub(r"\1", mount).partition(":")
        if source.startswith("."):
            assert (DEPLOY / source).is_dir(), mount
            assert rest.endswith(":ro"), mount
    assert (DEPLOY / SERVICES["worker"]["build"]["context"] / SERVICES["worker"]["build"]["dockerfile"]).is_file()


def test_nothing_is_open_to_other_machines():
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", ["topics", "worker"])
def test_the_environment_of_our_services_is_made_of_settings(name: str):
    given: Mapping[str, str] = SERVICES[name]["environment"]
    settings = load_settings(environment=given).settings
    kafka = SERVICES["kafka"]["environment"]
    assert f"INSIDE://{settings.brokers[0]}" in kafka["KAFKA_ADVERTISED_LISTENERS"].split(",")
    [mount] = SERVICES[name]["volumes"]
    source, target, _ = _VARIABLE.sub(r"\1", mount).split(":")
    assert (Path(target),) == settings.rules
    assert load([DEPLOY / source]).rule_set is not None


def test_the_worker_has_time_to_finish():
    settings = load_settings(environment=SERVICES["worker"]["environment"]).settings
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) * SECOND
    assert grace > settings.drain_timeout + ENDING_GRACE


def test_the_delivery_worker_reads_the_shipped_file_and_is_scraped_apart_from_the_workers():
    service = SERVICES["delivery"]
    settings = load_settings(environment=service["environment"]).settings
    assert settings.start_at == "earliest"
    assert int(service["stop_grace_period"].removesuffix("s")) * SECOND > settings.drain_timeout
    [mount] = service["volumes"]
    source, target, _ = mount.split(":")
    command, option, path, *_ = service["command"]
    assert (command, option, Path(path).parent) == ("deliver", "--delivery", Path(target))
    loaded = load_file(DEPLOY / source / Path(path).name, {})
    assert loaded.problems == ()
    assert loaded.file is not None
    [receiver] = loaded.file.receivers
    assert isinstance(receiver, AlertmanagerSpec)
    assert receiver.url.split("/")[2].split(":")[0] in SERVICES
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    [scraped] = [job for job in prometheus["scrape_configs"] if job["job_name"] == "delivery"]
    assert scraped["static_configs"][0]["targets"] == [f"delivery:{PORT}"]


def test_the_parts_find_each_other():
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    [scraped] = [job for job in prometheus["scrape_configs"] if job["job_name"] == "counterpoint"]
    assert scraped["static_configs"][0]["targets"] == [f"worker:{PORT}"]
    assert SERVICES["worker"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    [told] = prometheus["alerting"]["alertmanagers"][0]["static_configs"]
    assert [target.split(":")[0] for target in told["targets"]] == ["alertmanager"]
    for name in ("prometheus", "alertmanager"):
        [config] = [word for word in SERVICES[name]["command"] if word.startswith("--config.file=")]
        path = Path(config.removeprefix("--config.file="))
        assert f"./{name}:{path.parent}:ro" in SERVICES[name]["volumes"]
        assert (DEPLOY / name / path.name).is_file()
    [source] = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (DEPLOY / "grafana" / "dashboards" / home.name).is_file()


class ComposedKafka(KafkaBroker):
    """A broker with the properties of the compose file, as the image makes them of its environment, on this machine."""

    def _properties(self) -> str:
        ours, theirs = self.bootstrap, f"127.0.0.1:{self._controller_port}"
        listeners = {"listeners": f"INSIDE://{ours},CONTROLLER://{theirs}", "log.dirs": str(self.folder / "data")}
        listeners["advertised.listeners"] = f"INSIDE://{ours}"
        properties = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): str(value).replace("kafka:19093", theirs)
            for name, value in SERVICES["kafka"]["environment"].items()
        }
        return "".join(f"{name}={value}\n" for name, value in {**properties, **listeners}.items())


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka")
def test_a_real_kafka_starts_with_the_environment_of_the_compose_file_and_takes_our_topics(tmp_path: Path):
    settings = load_settings(environment=SERVICES["topics"]["environment"]).settings
    with ComposedKafka(tmp_path) as broker:
        topics = plan(settings.prefix, settings.measurement_partitions, settings.finding_partitions)
        assert len(TopicAdmin(broker.bootstrap).create(topics)) == len(topics)
