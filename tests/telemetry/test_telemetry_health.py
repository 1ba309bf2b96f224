"""Health, and the endpoint that tells it: a real one, asked over HTTP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client import CollectorRegistry

from engine.errors import ConfigError
from engine.model.time import SECOND
from engine.telemetry.health import Health
from engine.telemetry.http import Endpoint
from engine.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 10 * SECOND


class Clock:
    """A clock that stands until it is set."""

    now = 0

    def __call__(self) -> int:
        return self.now


class Worker(NamedTuple):
    health: Health
    clock: Clock
    metrics: Metrics
    endpoint: Endpoint

    def get(self, path: str, accept: str = "") -> tuple[int, str]:
        request = Request(f"http://127.0.0.1:{self.endpoint.port}{path}", headers={"Accept": accept})
        try:
            with urlopen(request, timeout=5) as answer:  # noqa: S310 (the same)
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()


@pytest.fixture
def worker() -> Iterator[Worker]:
    health, clock, metrics = Health(), Clock(), Metrics(CollectorRegistry())
    with Endpoint("127.0.0.1", 0, metrics=metrics, health=health, clock=clock, progress_timeout=LIMIT) as endpoint:
        yield Worker(health, clock, metrics, endpoint)


def test_ready_only_when_every_part_has_recovered():
    health = Health()
    assert not health.ready
    health.expect("stage 1/0", 0)
    health.expect("stage 1/1", 0)
    health.recovered("stage 1/0", 1)
    assert not health.ready
    assert health.recovering == ("stage 1/1",)
    health.recovered("stage 1/1", 1)
    assert health.ready


def test_a_part_given_away_holds_nothing_up():
    health = Health()
    health.expect("a", 0)
    health.recovered("a", 0)
    health.expect("b", 0)
    health.drop("b")
    health.drop("never-seen")
    assert health.ready
    assert health.stalled(LIMIT, LIMIT) == ()


def test_a_draining_worker_is_not_ready():
    health = Health()
    health.expect("a", 0)
    health.recovered("a", 0)
    health.drain()
    assert not health.ready


def test_a_part_is_stalled_once_it_has_stood_for_longer_than_the_limit():
    health = Health()
    health.expect("a", 0)
    health.expect("b", 0)
    health.moved("a", 5)
    assert health.stalled(10, 10) == ()
    assert health.stalled(11, 10) == ("b",)
    assert health.stalled(16, 10) == ("a", "b")
    assert health.age(11) == 11


def test_a_stamp_of_a_part_given_away_does_not_bring_it_back():
    health = Health()
    health.expect("a", 0)
    health.drop("a")
    health.moved("a", 1)
    assert not health.ready
    assert health.age(100) == 0


def test_recovering_counts_as_standing_still_too():
    health = Health()
    health.expect("a", 0)
    assert health.stalled(LIMIT + 1, LIMIT) == ("a",)


def test_readyz_turns_when_recovered_and_back_when_draining(worker: Worker):
    assert worker.get("/readyz") == (503, "not ready: nothing assigned, or draining\n")
    worker.health.expect("stage 1/0", 0)
    assert worker.get("/readyz") == (503, "not ready: stage 1/0\n")
    worker.health.recovered("stage 1/0", 0)
    assert worker.get("/readyz") == (200, "ready\n")
    worker.health.drain()
    assert worker.get("/readyz")[0] == 503


def test_healthz_names_the_part_that_stands_still(worker: Worker):
    worker.health.expect("stage 1/0", 0)
    assert worker.get("/healthz") == (200, "ok\n")
    worker.clock.now = LIMIT + 1
    assert worker.get("/healthz") == (503, "standing still: stage 1/0\n")
    worker.health.moved("stage 1/0", worker.clock.now)
    assert worker.get("/healthz")[0] == 200


def test_metrics_are_served_with_readiness_and_age_as_they_are_now(worker: Worker):
    worker.metrics.dead_letters.labels("not_json").inc(3)
    worker.health.expect("a", 0)
    worker.health.recovered("a", 0)
    worker.clock.now = 3 * SECOND
    status, text = worker.get("/metrics")
    assert status == 200
    assert 'counterpoint_dead_letters_total{reason="not_json"} 3.0\n' in text
    assert "counterpoint_ready 1.0\n" in text
    assert "counterpoint_progress_age_seconds 3.0\n" in text


def test_openmetrics_is_served_where_it_is_asked_for(worker: Worker):
    assert worker.get("/metrics", "application/openmetrics-text; version=1.0.0")[1].endswith("# EOF\n")


def test_other_paths_are_not_found_and_say_what_there_is(worker: Worker):
    assert worker.get("/") == (404, "here are /metrics, /healthz and /readyz\n")


def test_head_answers_without_a_body(worker: Worker):
    request = Request(f"http://127.0.0.1:{worker.endpoint.port}/healthz", method="HEAD")
    with urlopen(request, timeout=5) as answer:  # noqa: S310 (the same)
        assert (answer.status, answer.read()) == (200, b"")


def test_a_taken_port_is_refused_with_how_to_mend_it():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose another, or port 0"):
        Endpoint(
            "127.0.0.1",
            taken.getsockname()[1],
            metrics=Metrics(CollectorRegistry()),
            health=Health(),
            clock=Clock(),
            progress_timeout=LIMIT,
        )


def test_the_port_is_given_back_on_close():
    endpoint = Endpoint(
        "127.0.0.1", 0, metrics=Metrics(CollectorRegistry()), health=Health(), clock=Clock(), progress_timeout=LIMIT
    )
    endpoint.close()
    with socket.create_server(("127.0.0.1", endpoint.port)):
        pass
