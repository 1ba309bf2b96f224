"""`--since`: a time, or how long ago."""

from __future__ import annotations

import time

import typer

from engine.errors import WireError
from engine.runtime.settings import parse_duration
from engine.wire.times import parse_time


def parse_since(since: str) -> int:
    """Microseconds since the epoch: of RFC 3339 as it is, of a duration such as 24h counted back from now."""
    try:
        return time.time_ns() // 1_000 - parse_duration(since)
    except ValueError:
        pass
    try:
        return parse_time(since)
    except WireError as error:
        raise typer.BadParameter(f"--since: expected a duration such as 24h, or a time: {error.detail}") from None
