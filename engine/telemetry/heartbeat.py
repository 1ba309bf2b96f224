"""A worker's sign of life for somebody outside: an address that is asked for as long as the worker gets on.

It runs in a thread of its own: a receiver that hangs holds nothing up, and a worker that hangs is noticed. What fails
here is counted and logged, and never ends a worker.
Library: urllib, because a GET a minute needs no more.
"""

from __future__ import annotations

from http.client import HTTPException
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import structlog

from engine.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from engine.model.time import Micros
    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics

PATIENCE_MIN: Micros = 3 * SECOND
"""Progress is looked at once a second, so a worker is not taken to stand still sooner."""
TIMEOUT_SECONDS = 10.0

_log = structlog.get_logger(__name__)

Outcome = Literal["sent", "failed", "withheld"]


class Heartbeat:
    """Beats every `interval` from construction until `close`, while every part of `health` has moved within it.

    `clock` is the clock of the health stamps. The address itself is never logged: it may be a secret.
    """

    def __init__(
        self, url: str, interval: Micros, *, health: Health, metrics: Metrics, clock: Callable[[], Micros]
    ) -> None:
        self._request = Request(url, headers={"User-Agent": "counterpoint"})  # noqa: S310 (the settings check its scheme)
        self._host = urlsplit(url).hostname
        self._patience = max(interval, PATIENCE_MIN)
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._failing = False
        self._ended = Event()
        self._thread = Thread(target=self._run, args=(interval / SECOND,), name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Beat no more. A beat that is under way is not waited for."""
        self._ended.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            self._metrics.heartbeats.labels(self._beat()).inc()

    def _beat(self) -> Outcome:
        if not self._health.ready or self._health.age(self._clock()) > self._patience:
            return "withheld"
        try:
            with urlopen(self._request, timeout=TIMEOUT_SECONDS):  # noqa: S310 (the same)
                pass
        except (OSError, HTTPException, ValueError) as error:  # the last: a host name that cannot be one
            if not self._failing:
                _log.warning("heartbeat fails", host=self._host, error=str(error))
            self._failing = True
            return "failed"
        if self._failing:
            _log.info("heartbeat arrives again", host=self._host)
        self._failing = False
        return "sent"
