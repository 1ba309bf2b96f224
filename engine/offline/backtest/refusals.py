"""What is wrong with rows: counted by reason, the first of each with their place. It never stops a run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.errors import WireError

EXAMPLES_MAX = 3
"""So many of a reason are shown with their place."""
_FILE_SHIFT = 40


class Refusals:
    """`counts` and `examples` by reason; `passed_over` are rows without a value that need not have one."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.passed_over = 0

    def add(self, error: WireError, path: Path, line: int, rows: int = 1) -> None:
        """`rows` rows are refused for one reason, the first of them in this line."""
        self.counts[error.reason] += rows
        told = self.examples.setdefault(error.reason, [])
        if len(told) < EXAMPLES_MAX:
            told.append(f"{path}:{line}: {error.path}: {error.detail}")


def place_of(file: int, line: int) -> int:
    """One number for a line of the `file`-th file, as the offset of a measurement until it stands in a log."""
    return file << _FILE_SHIFT | line


def file_and_line(place: int) -> tuple[int, int]:
    """The inverse of `place_of`."""
    return place >> _FILE_SHIFT, place & (1 << _FILE_SHIFT) - 1
