"""Whether a broker answers.

Library: confluent-kafka's AdminClient, the only one here that speaks synchronously to old and new brokers alike.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_SECONDS = 0.2


def wait_until_reachable(bootstrap: str, seconds: float, check: Callable[[], None] = lambda: None) -> None:
    """Return when the broker at `bootstrap` answers a metadata request; BrokerError when it has not after `seconds`.

    `check` runs between attempts and may raise to end the waiting.
    """
    quiet: dict[str, str | int | float | bool] = {
        "bootstrap.servers": bootstrap,
        "log_level": 0,
        "socket.connection.setup.timeout.ms": 2_000,
    }
    admin = AdminClient(quiet)
    deadline = time.monotonic() + seconds
    while True:
        check()
        try:
            if admin.list_topics(timeout=1.0).brokers:
                return
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise BrokerError(f"expected a broker at {bootstrap} within {seconds:g} s, none answered") from error
        time.sleep(_PAUSE_SECONDS)
