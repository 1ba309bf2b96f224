"""A run in numbers: by rule the reviews, week by week, and the time in state firing; and what became of the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from engine.model.time import format_time
from engine.offline.backtest.tally import ReviewLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.backtest.run import Ran
    from engine.offline.backtest.tally import Stretch

_SECOND = 1e6


class RuleSummary(msgspec.Struct, frozen=True):
    """One rule. `reviews` were opened and stand (`withdrawn` ones are not among them), of which `resolved` have ended;
    `weeks`: reviews by ISO week (UTC) of the event time that they opened with. `firing` counts stretches of firing,
    with their time in all and that of the longest in seconds of event time; `firing_share` is the share of the time of
    its `series`, null where the rule joins KPIs.
    """

    rule: str
    title: str
    severity: str
    mode: str
    reviews: int
    resolved: int
    withdrawn: int
    triggers: int
    weeks: dict[str, int]
    series: int
    firing: int
    firing_still: int
    firing_seconds: float
    firing_longest_seconds: float
    firing_share: float | None


class Rows(msgspec.Struct, frozen=True):
    """What the rows came to; `worked_out` are no rows, but what formulas made of them. `behind_clock` is no fate: it
    counts rows older than the last tick before them, at most `behind_clock_seconds` older than the newest row; most of
    them may have counted all the same.
    """

    accepted: int
    worked_out: int
    duplicate: int
    late: int
    late_raw: int
    restated: int
    passed_over: int
    refused: dict[str, int]
    examples: dict[str, list[str]]
    behind_clock: int
    behind_clock_seconds: float
    limits: dict[str, int]


class Summary(msgspec.Struct, frozen=True):
    """A run. `first` and `last` are event times of the first and the newest row; `tick_seconds` lie between ticks."""

    rule_set: str
    first: str | None
    last: str | None
    tick_seconds: float
    ticks: int
    rows: Rows
    rules: tuple[RuleSummary, ...]
    reviews: tuple[ReviewLine, ...]


def summary_of(ran: Ran) -> Summary:
    """The run in numbers; rules in their order, those that stand in no file and were silent left out."""
    lines = sorted(ran.tally.reviews.values(), key=lambda line: (line.since, line.rule, line.scope))
    by_rule: dict[str, list[ReviewLine]] = defaultdict(list)
    for line in lines:
        by_rule[line.rule].append(line)
    firing = ran.tally.firing()
    clock = ran.clock
    return Summary(
        rule_set=ran.rule_set.hash,
        first=None if clock.first is None else format_time(clock.first),
        last=None if clock.first is None else format_time(clock.newest),
        tick_seconds=clock.every / _SECOND,
        ticks=clock.ticks,
        rows=_rows(ran),
        rules=tuple(_rule(name, by_rule[name], firing.get(name, []), ran) for name in _names(ran, by_rule)),
        reviews=tuple(lines),
    )


def _names(ran: Ran, by_rule: dict[str, list[ReviewLine]]) -> list[str]:
    declared = [rule.id for rule in ran.rule_set.rules]
    return declared + sorted(by_rule.keys() - set(declared))


def _rule(name: str, lines: Sequence[ReviewLine], stretches: Sequence[Stretch], ran: Ran) -> RuleSummary:
    rule = ran.rule_set.rule_by_id[name]
    begin, end = ran.clock.first or 0, ran.clock.newest
    lengths = [_length(stretch, end) for stretch in stretches]
    series = ran.series.get(name, 0)
    standing = [line for line in lines if not line.withdrawn]
    possible = series * (end - begin)
    return RuleSummary(
        rule=name,
        title=rule.title,
        severity=rule.severity,
        mode=rule.mode,
        reviews=len(standing),
        resolved=sum(line.resolved for line in standing),
        withdrawn=len(lines) - len(standing),
        triggers=sum(line.triggers for line in lines),
        weeks=dict(sorted(Counter(week_of(line.since) for line in standing).items())),
        series=series,
        firing=len(stretches),
        firing_still=sum(stretch.end is None for stretch in stretches),
        firing_seconds=sum(lengths) / _SECOND,
        firing_longest_seconds=max(lengths, default=0) / _SECOND,
        firing_share=sum(lengths) / possible if possible > 0 else None,
    )


def _length(stretch: Stretch, last: Micros) -> Micros:
    return max(0, (last if stretch.end is None else stretch.end) - stretch.begin)


def week_of(time: str) -> str:
    """`2026-W07` of a time."""
    year, week, _ = datetime.fromisoformat(time).isocalendar()
    return f"{year}-W{week:02d}"


def _rows(ran: Ran) -> Rows:
    counts, clock, refusals = ran.counts, ran.clock, ran.refusals
    return Rows(
        accepted=counts.get("accepted", 0) - counts.get("worked_out", 0),
        worked_out=counts.get("worked_out", 0),
        duplicate=counts.get("duplicate", 0),
        late=counts.get("late", 0),
        late_raw=counts.get("late_raw", 0),
        restated=counts.get("restated", 0),
        passed_over=refusals.passed_over,
        refused=dict(sorted(refusals.counts.items())),
        examples=dict(sorted(refusals.examples.items())),
        behind_clock=clock.behind,
        behind_clock_seconds=clock.furthest / _SECOND,
        limits={
            key[1]: count for key, count in counts.items() if isinstance(key, tuple) and key[0] == "limit" and count
        },
    )
