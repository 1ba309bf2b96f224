"""A backtest for people: a table of rules, reviews by week, and what became of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.rule import Rule as Line
from rich.table import Table

from engine.offline.reviews import place, to_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from engine.offline.backtest.compare import Comparison
    from engine.offline.backtest.summary import Rows, RuleSummary, Summary
    from engine.offline.backtest.tally import ReviewLine

WEEKS_MAX = 12
"""So many weeks are shown one by one, those before them together."""
_SHOWN_MAX = 20
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def show_summary(summary: Summary, console: Console) -> None:
    """Rules, then rows."""
    console.print(Line("Reviews", align="left"))
    console.print(_rules(summary.rules))
    console.print(Line("Reviews by week (UTC)", align="left"))
    _weeks(summary.rules, console)
    console.print(Line("Rows", align="left"))
    for line in rows_told(summary):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _rules(rules: Sequence[RuleSummary]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Rule")
    for name in ("Reviews", "Resolved", "Withdrawn", "Triggers", "Series", "Firing", "Time firing", "Longest", "Share"):
        table.add_column(name, justify="right")
    for rule in rules:
        share = "-" if rule.firing_share is None else f"{rule.firing_share:.2%}"
        counts = (rule.reviews, rule.resolved, rule.withdrawn, rule.triggers, rule.series, rule.firing)
        times = (_length(rule.firing_seconds), _length(rule.firing_longest_seconds), share)
        table.add_row(_label(rule), *(f"{count:,}" for count in counts), *times)
    return table


def _label(rule: RuleSummary) -> str:
    return rule.rule if rule.mode == "on" else f"{rule.rule} ({rule.mode})"


def _length(seconds: float) -> str:
    """`3d 4h`, `5h 10m`, `12m`, `40s`."""
    if seconds >= _DAY:
        return f"{seconds // _DAY:.0f}d {seconds % _DAY // _HOUR:.0f}h"
    if seconds >= _HOUR:
        return f"{seconds // _HOUR:.0f}h {seconds % _HOUR // _MINUTE:.0f}m"
    return f"{seconds // _MINUTE:.0f}m" if seconds >= _MINUTE else f"{seconds:.0f}s"


def _weeks(rules: Sequence[RuleSummary], console: Console) -> None:
    raised = [rule for rule in rules if rule.reviews]
    if not raised:
        console.print("No review was raised.")
        return
    weeks = sorted({week for rule in raised for week in rule.weeks})
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("Rule")
    shown = weeks[-WEEKS_MAX:]
    if len(shown) < len(weeks):
        table.add_column("before", justify="right")
    for week in shown:
        table.add_column(week, justify="right")
    for rule in raised:
        before = sum(count for week, count in rule.weeks.items() if week not in shown)
        cells = [f"{rule.weeks.get(week, 0) or '.'}" for week in shown]
        table.add_row(_label(rule), *([str(before or ".")] if len(shown) < len(weeks) else []), *cells)
    console.print(table)


def rows_told(summary: Summary) -> list[str]:
    """What became of the rows, a line each; only what there is."""
    rows = summary.rows
    lines = [f"{rows.accepted:,} measurements evaluated, from {summary.first} to {summary.last}"]
    if rows.worked_out:
        lines.append(f"{rows.worked_out:,} values worked out of formulas")
    lines += [f"{count:,} {what}" for what, count in _fates(rows) if count]
    if rows.behind_clock:
        lines.append(
            f"{rows.behind_clock:,} came behind the clock, by up to {_length(rows.behind_clock_seconds)}: lateness "
            "decided what they counted; sort the files by time to have all of them count"
        )
    for reason, count in rows.refused.items():
        lines.append(f"{count:,} refused: {reason}")
        lines += [f"  {example}" for example in rows.examples.get(reason, ())]
    lines += [f"{limit} was reached {count:,} times" for limit, count in rows.limits.items()]
    lines.append(f"{summary.ticks:,} ticks, one every {_length(summary.tick_seconds)}")
    return lines


def _fates(rows: Rows) -> list[tuple[str, int]]:
    return [
        ("repeats of a measurement that was counted", rows.duplicate),
        ("restatements of one that was counted", rows.restated),
        ("late, not counted", rows.late),
        ("late for rules on raw points", rows.late_raw),
        ("rows without a value passed over", rows.passed_over),
    ]


def show_comparison(comparison: Comparison, console: Console) -> None:
    """By rule what went, stayed and came, then the reviews that went and came."""
    console.print(Line("What the other rules change", align="left"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Rule")
    for name in ("Removed", "In both", "Added"):
        table.add_column(name, justify="right")
    for rule in comparison.rules:
        table.add_row(rule.rule, f"{rule.removed:,}", f"{rule.kept:,}", f"{rule.added:,}")
    counts = (comparison.removed, comparison.kept, comparison.added)
    table.add_row("all", *(f"{len(lines):,}" for lines in counts), style="bold")
    console.print(table)
    _listed("Removed", comparison.removed, console)
    _listed("Added", comparison.added, console)


def _listed(title: str, lines: Sequence[ReviewLine], console: Console) -> None:
    if not lines:
        return
    console.print(Line(title, align="left"))
    for line in lines[:_SHOWN_MAX]:
        mark = " (shadow)" if line.shadow else ""
        told = f"{to_minute(line.since)}  {line.rule}{mark}  {place(line.scope)}: {line.explanation}"
        console.print(told, highlight=False, markup=False)
    if len(lines) > _SHOWN_MAX:
        console.print(f"and {len(lines) - _SHOWN_MAX:,} more (--json lists all)")
