"""Series whose breaks are known, and their files."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOURS = 24 * 60
FIRST = 1_767_225_600
"""2026-01-01, in seconds."""


def hours(seed: int, shift: float, at: int, count: int = HOURS) -> list[float]:
    """Gaussian hours about 50 with a scatter of 2; from row `at` on higher by `shift`."""
    random = Random(seed)
    return [random.gauss(50.0, 2.0) + (shift if row >= at else 0.0) for row in range(count)]


def write_csv(path: Path, rows: Sequence[tuple[object, object]], header: str = "time,value") -> Path:
    """A file of (time, value)."""
    path.write_text("\n".join([header, *(f"{time},{value}" for time, value in rows)]) + "\n", "utf-8")
    return path
