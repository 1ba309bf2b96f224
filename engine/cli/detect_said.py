"""Alarms as they are found: a line each for people, or the elements of one JSON list. None is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import typer

if TYPE_CHECKING:
    from engine.offline.detect.run import Alarm

_HEADS = ("row", "time", "began at row", "direction", "size", "statistic")
_LEFT = ("time", "direction")
_WIDTHS = {"row": 7, "size": 9}
"""Of a column whose cells may be longer than its head; of times the first one tells."""


class Said(Protocol):
    """Where alarms go. `count`: how many there were."""

    count: int

    def take(self, alarm: Alarm) -> None:
        """Say it now."""

    def close(self) -> None:
        """There are no more; what was said is whole then."""


class Lines:
    """A line an alarm, under a head that comes with the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._widths: list[int] = []

    def take(self, alarm: Alarm) -> None:
        """See `Said`."""
        if not self._widths:
            self._widths = [max(len(head), _WIDTHS.get(head, 0)) for head in _HEADS]
            self._widths[_HEADS.index("time")] = max(len("time"), len(alarm.time))
            typer.echo(self._line(_HEADS))
        self.count += 1
        size, statistic = f"{alarm.size:+.5g}", f"{alarm.statistic:.4g}"
        typer.echo(self._line((str(alarm.row), alarm.time, str(alarm.onset_row), alarm.direction, size, statistic)))

    def _line(self, cells: tuple[str, ...]) -> str:
        laid = zip(_HEADS, cells, self._widths, strict=True)
        return "  ".join(cell.ljust(width) if head in _LEFT else cell.rjust(width) for head, cell, width in laid)

    def close(self) -> None:
        """See `Said`."""


class JsonList:
    """The same bytes as those of a list that is written at once."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, alarm: Alarm) -> None:
        """See `Said`."""
        element = json.dumps(alarm._asdict(), indent=2).replace("\n", "\n  ")
        typer.echo(f"{',' if self.count else '['}\n  {element}", nl=False)
        self.count += 1

    def close(self) -> None:
        """See `Said`."""
        typer.echo("\n]" if self.count else "[]")
