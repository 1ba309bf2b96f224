"""`--since` and `--until`: a time, or how long ago or from now."""

from __future__ import annotations

import time

import typer

from engine.errors import WireError
from engine.runtime.settings import parse_duration
from engine.wire.times import parse_time


def parse_since(since: str) -> int:
    """Microseconds since the epoch: of RFC 3339 as it is, of a duration such as 24h counted back from now."""
    return _parse("--since", since, time.time_ns() // 1_000, -1)


def parse_since_of(since: str, now: int) -> int:
    """The same, counted back from another `now`: that of data from long ago."""
    return _parse("--since", since, now, -1)


def parse_until(until: str, now: int) -> int:
    """Microseconds since the epoch: of RFC 3339 as it is, of a duration such as 4h counted from `now`."""
    return _parse("--until", until, now, 1)


def _parse(option: str, text: str, now: int, sign: int) -> int:
    try:
        return now + sign * parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except WireError as error:
        raise typer.BadParameter(f"{option}: expected a duration such as 24h, or a time: {error.detail}") from None
