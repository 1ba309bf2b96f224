"""The heartbeat: sent while a worker gets on, withheld while it does not, and never a worker's undoing."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from engine.model.time import MILLISECOND, SECOND
from engine.telemetry.health import Health
from engine.telemetry.heartbeat import Heartbeat
from engine.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.model.time import Micros


class Receiver:
    """Answers heartbeats with `status`, or drops them where that is None; remembers the paths."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.asked: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                receiver.asked.append(self.path)
                if receiver.status is not None:
                    self.send_response(receiver.status)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/secret-7"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


class World:
    """A heart over a health that the test moves, every 20 ms."""

    def __init__(self, url: str) -> None:
        self.now: Micros = 0
        self.health = Health()
        self.metrics = Metrics(CollectorRegistry())
        self.heart = Heartbeat(url, 20 * MILLISECOND, health=self.health, metrics=self.metrics, clock=lambda: self.now)

    def counted(self, outcome: str) -> int:
        return int(self.metrics.heartbeats.labels(outcome)._value.get())  # noqa: SLF001 (the library has no reader)

    def until_more(self, outcome: str) -> None:
        """Wait until two more beats ended so: the first of them may have begun before the test changed anything."""
        least = self.counted(outcome) + 2
        until(lambda: self.counted(outcome) >= least)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def world(receiver: Receiver) -> Iterator[World]:
    made = World(receiver.url)
    with made.heart:
        yield made


def test_it_beats_once_ready_and_as_long_as_every_part_moves(world: World, receiver: Receiver):
    world.health.expect("a[0]", 0)
    world.until_more("withheld")
    assert receiver.asked == []
    world.health.recovered("a[0]", 0)
    world.until_more("sent")
    assert set(receiver.asked) == {"/secret-7"}


def test_a_part_that_stands_still_or_a_worker_on_its_way_out_silences_it(world: World, receiver: Receiver):
    for part in ("a[0]", "a[1]"):
        world.health.recovered(part, 0)
    world.until_more("sent")
    world.now = 10 * SECOND
    world.health.moved("a[0]", world.now)
    world.until_more("withheld")
    heard = len(receiver.asked)
    world.until_more("withheld")
    assert len(receiver.asked) == heard
    world.health.moved("a[1]", world.now)
    world.until_more("sent")
    world.health.drain()
    world.until_more("withheld")


@pytest.mark.parametrize("status", [404, 500, None])
def test_what_fails_is_counted_and_it_beats_on(world: World, receiver: Receiver, status: int | None):
    receiver.status = status
    world.health.recovered("a[0]", 0)
    world.until_more("failed")
    receiver.status = 200
    world.until_more("sent")


def test_nobody_there_is_a_failure_like_any_other(receiver: Receiver):
    receiver.server.shutdown()
    receiver.server.server_close()
    world = World(receiver.url)
    with world.heart:
        world.health.recovered("a[0]", 0)
        world.until_more("failed")


def test_it_is_silent_once_it_is_closed(world: World, receiver: Receiver):
    world.health.recovered("a[0]", 0)
    world.until_more("sent")
    world.heart.close()
    world.heart._thread.join(30)  # noqa: SLF001 (what is still under way is waited for)
    heard = len(receiver.asked)
    time.sleep(0.2)
    assert len(receiver.asked) == heard


def test_a_host_name_that_cannot_be_one_is_a_failure_like_any_other():
    world = World(f"http://{'a' * 64}.example.com/")
    with world.heart:
        world.health.recovered("a[0]", 0)
        world.until_more("failed")
