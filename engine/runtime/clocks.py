"""The clocks of a worker: it hands them down, and nothing below this floor reads one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.time import Micros


def wall_clock() -> Micros:
    """The time of day, in microseconds since the epoch."""
    return time.time_ns() // 1_000


def steady_clock() -> Micros:
    """Microseconds that never go back."""
    return time.monotonic_ns() // 1_000
