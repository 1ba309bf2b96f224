"""How rules fare, for a terminal: a table, then what they said last, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from engine.offline.why.health import PROBLEMS
from engine.review.numbers import number

if TYPE_CHECKING:
    from rich.console import Console

    from engine.offline.why.health import Health, RuleHealth, Transition

STATES = ("inactive", "pending", "firing", "recovering")


def show_health(health: Health, console: Console) -> None:
    """All of it."""
    console.print(_table(health))
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


def _counts(rule: RuleHealth) -> list[str]:
    return [f"{rule.series[state]:,}" if rule.series[state] else "." for state in STATES]


def _told(told: Transition) -> str:
    value = "" if told.value is None else f" at {number(told.value)}"
    return f"{told.happening}{value}  {told.series}"


def _rules(count: int) -> str:
    return f"{count} rule{'' if count == 1 else 's'}"
