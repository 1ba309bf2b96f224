"""What a test of delivery on a real broker needs: programs that are killed and started again, a webhook's receiver, and
a sender of triggers that waits for a broker that is away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import Producer
from standardwebhooks import Webhook

from engine.deliver.webhook import REDELIVERED_HEADER
from engine.model.topics import TRIGGERS, full_name
from engine.wire.encode import encode_record
from engine.wire.partition import owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from engine.model.trigger import ReviewTrigger

START_AGAIN_SECONDS = 0.3


class Arrival(NamedTuple):
    """One word that came: the id, whether it was marked as a repeat, and what it said."""

    id: str
    redelivered: bool
    body: bytes


class Hook:
    """A receiver of webhooks on a free loopback port, which checks each signature with the reference library."""

    def __init__(self, secret: str) -> None:
        self.arrivals: list[Arrival] = []
        self.refused: list[str] = []
        hook, verifier = self, Webhook(secret)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    verifier.verify(body, dict(self.headers.items()))
                except Exception as error:  # noqa: BLE001 - the test looks at what was refused
                    hook.refused.append(repr(error))
                    self.send_error(400)
                    return
                again = self.headers.get(REDELIVERED_HEADER) == "true"
                hook.arrivals.append(Arrival(self.headers["webhook-id"], again, body))
                # The worker may be gone by now.
                with suppress(OSError):
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named so by http.server)
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/reviews"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Program:
    """A command that is started again whenever it has ended, as systemd would; a context manager."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self._command = [sys.executable, *command]
        self._log = log
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("COUNTERPOINT_") and not name.lower().endswith("_proxy")
        } | environment
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._process = self._start()
        self.starts = 1

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment
            )

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            if self._process.poll() is not None:
                self._stopping.wait(START_AGAIN_SECONDS)
                if not self._stopping.is_set():
                    self._process = self._start()
                    self.starts += 1
            self._stopping.wait(0.05)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it in order, and do not start it again; its exit status."""
        self._stopping.set()
        self._thread.join()
        self._process.terminate()
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def tail(self) -> str:
        return self._log.read_text("utf-8", "replace")[-6_000:]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._stopping.is_set():
            self.stop()


SUBSCRIBER = """
import sys
from engine.client.subscriber import ReviewSubscriber

brokers, prefix, path = sys.argv[1:]
with ReviewSubscriber([brokers], prefix=prefix, group="downstream", session_seconds=6) as subscriber:
    with open(path, "a", buffering=1) as output:
        subscriber.run(lambda delivery: output.write(f"{delivery.id} {delivery.redelivered}\\n"))
"""


def arrivals_in(path: Path) -> list[Arrival]:
    """What the subscriber has noted; a line that it died in is left out."""
    text = path.read_text("utf-8") if path.exists() else ""
    lines = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [Arrival(identifier, again == "True", b"") for identifier, again in lines]


class Feed:
    """Sends triggers in a thread, some at a time; `finish` when they are to be hurried."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int, triggers: Iterable[ReviewTrigger]) -> None:
        self._topic, self._partitions = full_name(prefix, TRIGGERS), partitions
        self._triggers = list(triggers)
        self._hurry = threading.Event()
        self.failures: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": 300_000,
                "log_level": 0,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number, trigger in enumerate(self._triggers):
            key = trigger.data.review.encode()
            place = owner(key, self._partitions)
            self._producer.produce(self._topic, encode_record(trigger), key, place, on_delivery=self._note)
            self._producer.poll(0)
            if number % 10 == 0:
                self._hurry.wait(0.5)
        while self._producer.flush(1):
            pass

    def _note(self, error: object, message: object) -> None:
        del message
        if error is not None:
            self.failures.append(str(error))

    def finish(self) -> None:
        self._hurry.set()
        self._thread.join(120)
        assert not self._thread.is_alive()
        assert self.failures == []


def wait_for(seconds: float, holds: object, tell: object) -> None:
    """Until `holds()`; fails with what `tell()` says."""
    assert callable(holds)
    assert callable(tell)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, tell()
        time.sleep(0.2)


def reviews_of(alerts: str) -> set[str]:
    """The reviews in what `amtool -o json alert query` prints."""
    return {alert["labels"]["review"] for alert in json.loads(alerts)}
