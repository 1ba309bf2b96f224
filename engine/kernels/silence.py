"""missing_data: tick time has gone on for longer than a series may be silent."""

from __future__ import annotations

from typing import Any

from engine.kernels._jit import jit

_SECOND = 1e6


@jit
def silence(rule: Any, waiting: int, time: int) -> tuple[bool, float, float]:
    """(breach, seconds waited, seconds allowed) at tick time `time`, waiting since the tick `waiting`."""
    waited = time - waiting
    return waited >= rule.after, float(waited) / _SECOND, float(rule.after) / _SECOND
