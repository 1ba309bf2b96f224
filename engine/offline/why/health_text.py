"""How rules fare, for a terminal: a table, then what they evaluated and said last, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from engine.offline.why.health import PROBLEMS
from engine.review.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from engine.offline.why.evaluations import Evaluation
    from engine.offline.why.health import Health, RuleHealth, Transition

_SIDES = "<<>>><"
_OUTCOMES = {"judged": "", "warm_up": " (warming up)", "not_known": " (not known)"}
STATES = ("inactive", "pending", "firing", "recovering")


def show_health(health: Health, console: Console) -> None:
    """All of it."""
    console.print(_table(health))
    if any(rule.evaluations for rule in health.rules):
        console.print(Line("Evaluated last", align="left"))
        for line in _evaluations(health):
            console.print(line, soft_wrap=True)
    spoken = [rule for rule in health.rules if rule.last]
    if spoken:
        console.print(Line("Said last", align="left"))
    for rule in spoken:
        for told in rule.last:
            console.print(Text(f"{told.time}  {rule.rule}  {_told(told)}"), soft_wrap=True)
    wrong = [rule for rule in health.rules if rule.problems]
    if wrong:
        console.print(Line("Problems", align="left"))
    for rule in wrong:
        for problem in rule.problems:
            console.print(Text(f"{rule.rule}: {problem}: {PROBLEMS[problem]}"), soft_wrap=True)
    refused = ", ".join(f"{count:,} {reason}" for reason, count in health.refused.items())
    end = f"; refused: {refused}" if refused else ""
    console.print(Text(f"{_rules(len(health.rules))} at {health.at}, {len(wrong)} with problems{end}"), soft_wrap=True)


def _table(health: Health) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("Rule", "Condition", "Mode"):
        table.add_column(name)
    for name in STATES:
        table.add_column(name.capitalize(), justify="right")
    table.add_column("Evaluated")
    for rule in health.rules:
        table.add_row(rule.rule, rule.condition, rule.mode, *_counts(rule), rule.evaluated or "-")
    return table


def _evaluations(health: Health) -> Iterator[Text]:
    """A line each, in columns but for the last, however wide the terminal is."""
    head = ("Time", "Rule", "Value", "Statistic", "Limit", "State", "Series")
    rows = [head, *(_cells(rule.rule, told) for rule in health.rules for told in rule.evaluations)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head) - 1)]
    for row in rows:
        cells = zip(row, widths, _SIDES, strict=False)
        line = "  ".join([*(f"{cell:{side}{width}}" for cell, width, side in cells), row[-1]])
        yield Text(line, "bold" if row is head else "")


def _cells(rule: str, told: Evaluation) -> tuple[str, ...]:
    numbers = ("-" if each is None else number(each) for each in (told.value, told.statistic, told.limit))
    return told.time, rule, *numbers, f"{told.state}{_OUTCOMES[told.outcome]}", told.series


def _counts(rule: RuleHealth) -> list[str]:
    return [f"{rule.series[state]:,}" if rule.series[state] else "." for state in STATES]


def _told(told: Transition) -> str:
    value = "" if told.value is None else f" at {number(told.value)}"
    return f"{told.happening}{value}  {told.series}"


def _rules(count: int) -> str:
    return f"{count} rule{'' if count == 1 else 's'}"
