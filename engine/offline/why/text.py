"""An answer for a terminal: one plain sentence, then what was seen, what was needed, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from engine.offline.why.gates import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from engine.offline.why.gates import Answer

_LABEL_WIDTH = 12


def show_answer(answer: Answer, console: Console) -> None:
    """All of it."""
    console.print(Text(answer.sentence, style="bold"))
    console.print()
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=_LABEL_WIDTH, style="dim")
    table.add_column(overflow="fold")
    for label, text in _lines(answer):
        table.add_row(label, Text(text))
    console.print(table)


def _lines(answer: Answer) -> Iterator[tuple[str, str]]:
    meaning = "none is shut" if answer.gate is None else f"{answer.gate}: {MEANINGS[answer.gate]}"
    yield "gate", meaning
    named = {
        "value": answer.value,
        "needed": answer.needed,
        "since": answer.since,
        "judged last": answer.point,
        "open window": answer.open_window,
        "review": answer.review,
    }
    yield from ((label, text) for label, text in named.items() if text is not None)
    for side in answer.sides:
        yield ("there" if side.there else "not there"), f"{side.name} {side.told}"
    yield "asked", f"{answer.rule} on {answer.series} at {answer.at}: {answer.state}"
