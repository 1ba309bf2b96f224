"""How a demo ends: the timeline of the reviews, what was counted, and where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.rule import Rule as Line

from engine.model.trigger import ReviewTrigger
from engine.offline.reviews import stories
from engine.offline.timeline import show_counts, show_timeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from engine.cli.demo_scenarios import Scenario
    from engine.rules.ruleset import RuleSet


class Account(NamedTuple):
    """What became of the measurements that were sent. Times in seconds since the worker's start."""

    sent: int
    accepted: int
    duplicates: int
    late: int
    dead_letters: int
    first_review: float | None
    seconds: float
    worker_status: int

    @property
    def told(self) -> int:
        """How many measurements the worker accounts for."""
        return self.accepted + self.duplicates + self.late + self.dead_letters

    @property
    def complete(self) -> bool:
        """Whether it accounts for all of them and ended well."""
        return self.told == self.sent and self.worker_status == 0


def evaluated(counts: Mapping[str, float]) -> int:
    """Measurements that went into the evaluation so far, by the worker's counters."""
    return int(counts.get("counterpoint_measurements_total", 0))


def accounted(counts: Mapping[str, float]) -> int:
    """Measurements of which the worker's counters say what became of them."""
    return account_of(counts, 0, None, 0.0, 0).told


def account_of(
    counts: Mapping[str, float], sent: int, first_review: float | None, seconds: float, worker_status: int
) -> Account:
    """The account from the worker's counters."""
    duplicates, late, dead = (
        int(counts.get(f"counterpoint_{name}_total", 0)) for name in ("duplicates", "late", "dead_letters")
    )
    return Account(sent, evaluated(counts), duplicates, late, dead, first_review, seconds, worker_status)


def report(
    values: Sequence[bytes],
    account: Account,
    scenario: Scenario,
    rule_set: RuleSet,
    written: Path | None,
    console: Console,
) -> None:
    """Print it all."""
    told = stories(msgspec.json.decode(value, type=ReviewTrigger) for value in values)
    console.print(Line("Reviews by the time that they are about", align="left"))
    show_timeline(told, console)
    console.print(Line("Rules", align="left"))
    show_counts(told, rule_set.rules, console)
    if scenario.truth is not None:
        console.print(f"\n{scenario.truth}", highlight=False)
    console.print(Line("Account", align="left"))
    console.print("\n".join(_account(account)), highlight=False)
    if not account.complete:
        console.print(f"[bold red]Not everything was evaluated:[/bold red] {_shortfall(account)}", highlight=False)
    console.print(Line("Where to look next", align="left"))
    console.print("\n".join(_next(scenario, written)), highlight=False, soft_wrap=True)


def _account(account: Account) -> list[str]:
    rate = account.told / account.seconds if account.seconds else 0.0
    fates = {"duplicates": account.duplicates, "late": account.late, "dead letters": account.dead_letters}
    others = ", ".join(f"{count:,} {name}" for name, count in fates.items())
    lines = [
        f"{account.sent:,} measurements sent: {account.accepted:,} evaluated, {others}",
        f"{account.seconds:.1f} s from the worker's start to the last commit: {rate:,.0f} measurements a second",
    ]
    if account.first_review is not None:
        lines.append(f"first review after {account.first_review:.1f} s")
    return lines


def _shortfall(account: Account) -> str:
    if account.worker_status:
        return f"the worker ended with status {account.worker_status}"
    return f"{account.sent:,} measurements were sent, the worker accounts for {account.told:,}"


def _next(scenario: Scenario, written: Path | None) -> list[str]:
    triggers = f"the triggers with all evidence: {written}" if written else "all evidence: --triggers-out FILE"
    return [
        f"  the rules, to read and change: {scenario.rules_shown}",
        f"  {triggers}",
        "  your own events: `counterpoint broker`, `counterpoint worker --help`, `counterpoint send --help`",
    ]
