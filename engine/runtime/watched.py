"""What the outside can see of a worker of either kind while it runs: its endpoint, and its heartbeat."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from engine.runtime.clocks import steady_clock
from engine.telemetry.heartbeat import Heartbeat
from engine.telemetry.http import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from engine.runtime.settings import Settings
    from engine.telemetry.health import Health
    from engine.telemetry.metrics import Metrics


@contextmanager
def watched(settings: Settings, metrics: Metrics, health: Health) -> Iterator[Endpoint]:
    """Serve metrics and health, and ask for the heartbeat's address where there is one; ConfigError when it cannot."""
    with (
        Endpoint(
            settings.http_host,
            settings.http_port,
            metrics=metrics,
            health=health,
            clock=steady_clock,
            progress_timeout=settings.progress_timeout,
        ) as endpoint,
        _heartbeat(settings, metrics, health),
    ):
        yield endpoint


def _heartbeat(settings: Settings, metrics: Metrics, health: Health) -> AbstractContextManager[object]:
    if settings.heartbeat_url is None:
        return nullcontext()
    url = settings.heartbeat_url.get_secret_value()
    return Heartbeat(url, settings.heartbeat_interval, health=health, metrics=metrics, clock=steady_clock)
