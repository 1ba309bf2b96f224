"""An explanation for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.offline.explain.account import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from engine.offline.explain.account import Check, Line, Step
    from engine.offline.explain.explanation import Explanation
    from engine.offline.explain.log_verdict import LogVerdict

_LABEL_WIDTH = 16


def show_explanation(explanation: Explanation, log: LogVerdict, console: Console) -> None:
    """Everything: the sentence, the steps that lead to it, and the verdicts."""
    console.print(Text(explanation.sentence, style="bold"))
    console.print(Text(f"{explanation.type}  {explanation.id}", style="dim"))
    for step in explanation.steps:
        console.print()
        console.print(Text(step.title, style="bold cyan"))
        console.print(Padding(_table(step), (0, 0, 0, 2)))
    console.print()
    _show_verdicts(explanation, log, console)


def show_briefly(explanation: Explanation, log: LogVerdict, console: Console) -> None:
    """One of many: what it says, and the verdicts."""
    mark = Text("✓ ", style="green") if explanation.evidence == "consistent" else Text("✗ ", style="bold red")
    happening = explanation.type.split(".")[2:3]
    console.print(Text.assemble(mark, (explanation.id, "dim"), f"  {''.join(happening)}  {explanation.sentence}"))
    if explanation.failures or log.verdict not in ("same bytes", "not asked"):
        _show_verdicts(explanation, log, console)


def _table(step: Step) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(min_width=_LABEL_WIDTH, max_width=48, overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for line in step.lines:
        table.add_row(_mark(line), line.label, Text(line.text))
        for check in line.checks:
            if not check.holds:
                table.add_row("", "", Text(_failure(check), style="red"))
    return table


def _mark(line: Line) -> Text:
    if not line.checks:
        return Text("")
    return Text("✓", style="green") if line.holds else Text("✗", style="bold red")


def _failure(check: Check) -> str:
    if check.why is not None and check.expected is None:
        found = "" if check.found is None else f"the trigger says {shown(check.found)}; expected: "
        return f"{check.path}: {found}{check.why}"
    of = "" if check.why is None else f"{check.why}: "
    return f"{check.path}: {of}the trigger says {shown(check.found)}, recomputed {shown(check.expected)}"


def _show_verdicts(explanation: Explanation, log: LogVerdict, console: Console) -> None:
    good = explanation.evidence == "consistent"
    console.print(_verdict("evidence", explanation.evidence, "", good=good))
    if not good:
        paths = dict.fromkeys(check.path for check in explanation.failures)
        console.print(Padding(Text(f"see {', '.join(paths)}", style="red"), (0, 0, 0, 2)))
    detail = f" ({log.detail})" if log.detail else ""
    console.print(_verdict("log", log.verdict, detail, good=log.verdict != "differs"))
    for line in _differences(log):
        console.print(Padding(Text(line, style="red"), (0, 0, 0, 2)))


def _differences(log: LogVerdict) -> Iterator[str]:
    for each in log.differences:
        yield f"{each.path}: the trigger says {shown(each.one)}, the log {shown(each.other)}"


def _verdict(name: str, verdict: str, detail: str, *, good: bool) -> Text:
    return Text.assemble(f"{name}: ", (verdict, "bold green" if good else "bold red"), detail)
