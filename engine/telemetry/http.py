"""The endpoint of a worker: `/metrics`, `/healthz`, `/readyz`, in a thread of its own so that a busy worker answers."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, Self

from prometheus_client.exposition import choose_encoder

from engine.errors import ConfigError
from engine.model.time import SECOND, Micros

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics

_PLAIN = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A status with its body."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Endpoint:
    """Serves from construction until `close`. `port` is the one taken, also where 0 was asked for.

    `clock` is the clock of the health stamps. `/healthz` is 503 once a part has stood still for longer than
    `progress_timeout`; `/readyz` is 503 until every part has recovered. ConfigError when the address cannot be used.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        metrics: Metrics,
        health: Health,
        clock: Callable[[], Micros],
        progress_timeout: Micros,
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._progress_timeout = progress_timeout
        metrics.ready.set_function(lambda: float(health.ready))
        metrics.progress_age.set_function(lambda: health.age(clock()) / SECOND)
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            raise ConfigError(
                [f"http_host, http_port: cannot serve on {host}:{port}: {error.strerror}; choose another, or port 0"]
            ) from None
        self._thread = Thread(target=self._server.serve_forever, name="http", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, path: str, accept: str) -> Answer:
        """What a GET of `path` gets."""
        if path == "/metrics":
            encode, content_type = choose_encoder(accept)
            return Answer(HTTPStatus.OK, content_type, encode(self._metrics.registry))
        if path == "/healthz":
            return _verdict("standing still", self._health.stalled(self._clock(), self._progress_timeout))
        if path == "/readyz":
            if self._health.ready:
                return Answer(HTTPStatus.OK, _PLAIN, b"ready\n")
            recovering = ", ".join(self._health.recovering) or "nothing assigned, or draining"
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, f"not ready: {recovering}\n".encode())
        return Answer(HTTPStatus.NOT_FOUND, _PLAIN, b"here are /metrics, /healthz and /readyz\n")


def _verdict(trouble: str, parts: tuple[str, ...]) -> Answer:
    if parts:
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, f"{trouble}: {', '.join(parts)}\n".encode())
    return Answer(HTTPStatus.OK, _PLAIN, b"ok\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "counterpoint"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        answer = self._send_head()
        self.wfile.write(answer.body)

    def do_HEAD(self) -> None:
        self._send_head()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named so by http.server)
        """Scrapes are not worth a line each."""

    def _send_head(self) -> Answer:
        answer = self.server.endpoint.answer(self.path.partition("?")[0], self.headers.get("Accept", ""))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        return answer
