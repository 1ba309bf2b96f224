"""The script that the backtest is measured against: thresholds and CUSUM charts in polars, on a file of one row a
series and minute, each rule giving the times at which it begins and ceases to fire.

Two ways to write it. `by_group` is the usual one: expressions within `group_by`. `by_sorting` is the faster one, for
who knows the trick: no groups, but one running sum over all series, each begun far below those before it.

A CUSUM without its upper bound is `C - min(0, running minimum of C)` with C the sum of what scores exceed the slack by.
The charts hold their sums within twice the limit; series that come to that are gone through point by point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Limit(NamedTuple):
    """Above `high` or below `low`; over when the value is back at `back` (null: at the limit)."""

    high: float | None
    low: float | None
    back: float | None


class Sums(NamedTuple):
    """Above `limit`, in sigmas, of the upper sum, or the lower one where it is `two_sided`."""

    slack: float
    limit: float
    begin: float
    two_sided: bool
    centre: float
    sigma: float

    def scores(self) -> list[pl.Expr]:
        """What is added up, of each side."""
        score = (pl.col("value") - self.centre) / self.sigma
        return [side * score - self.slack for side in ((1, -1) if self.two_sided else (1,))]


Rules = dict[str, Limit | Sums]
Summed = Callable[[pl.Expr, float], pl.Expr]
MOST = 2.0
BELOW = 2.0**20
"""More than any series' sum falls or rises; exact beside the sums of a million series."""
FIRST = pl.col("first")


def by_group(path: Path, rules: Rules) -> dict[str, pl.DataFrame]:
    """`host` and `time` of each change, by rule, those of a host in their order."""
    wanted = {name: _times(_firing(rule, _sum_within)) for name, rule in rules.items()}
    peaks = {f"{name}!": _total(rule, _sum_within).max() for name, rule in _sums(rules)}
    found = _columns(path).group_by("host").agg(**wanted, **peaks).collect()
    changes = {name: found.select("host", time=pl.col(name)).explode("time").drop_nulls("time") for name in rules}
    over = {name: found.filter(pl.col(f"{name}!") > _most(rule))["host"] for name, rule in _sums(rules)}
    return _corrected(path, rules, changes, over)


def by_sorting(path: Path, rules: Rules) -> dict[str, pl.DataFrame]:
    """The same as `by_group`."""
    begins = (pl.col("host") != pl.col("host").shift(1)).fill_null(value=True)
    frame = _columns(path).sort("host", maintain_order=True).with_columns(first=begins)
    wanted = {name: _firing(rule, _sum_over_all) for name, rule in rules.items()}
    peaks = {f"{name}!": _total(rule, _sum_over_all) > _most(rule) for name, rule in _sums(rules)}
    told = frame.select("host", "time", "first", **wanted, **peaks).collect().lazy()
    queries = [told.filter(_changed(name)).select("host", "time") for name in rules]
    queries += [told.filter(f"{name}!").select("host").unique() for name, _ in _sums(rules)]
    found = pl.collect_all(queries)
    over = {name: each["host"] for (name, _), each in zip(_sums(rules), found[len(rules) :], strict=True)}
    return _corrected(path, rules, dict(zip(rules, found, strict=False)), over)


def _columns(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path).select("host", "time", "value")


def _sums(rules: Rules) -> list[tuple[str, Sums]]:
    return [(name, rule) for name, rule in rules.items() if isinstance(rule, Sums)]


def _most(rule: Sums) -> float:
    return MOST * rule.limit


def _firing(rule: Limit | Sums, summed: Summed) -> pl.Expr:
    if isinstance(rule, Sums):
        return _total(rule, summed) > rule.limit
    value = pl.col("value")
    breach = value > rule.high if rule.high is not None else value < rule.low
    if rule.back is None:
        return breach
    clear = value <= rule.back if rule.high is not None else value >= rule.back
    kept = pl.when(breach).then(statement=True).when(clear | _begins(summed)).then(statement=False)
    return kept.forward_fill()


def _begins(summed: Summed) -> pl.Expr:
    return FIRST if summed is _sum_over_all else pl.int_range(pl.len()) == 0


def _total(rule: Sums, summed: Summed) -> pl.Expr:
    return pl.max_horizontal(*(summed(score, rule.begin) for score in rule.scores()))


def _sum_within(score: pl.Expr, begin: float) -> pl.Expr:
    """Of one group."""
    added = begin + score.cum_sum()
    return added - added.cum_min().clip(upper_bound=0.0)


def _sum_over_all(score: pl.Expr, begin: float) -> pl.Expr:
    """Of all series one behind the other: what comes before a series is above all that is of it."""
    added = (score + pl.when(FIRST).then(begin - BELOW).otherwise(0.0)).cum_sum()
    zero = pl.when(FIRST).then(added - score - begin).forward_fill()
    return added - pl.min_horizontal(added.cum_min(), zero)


def _times(firing: pl.Expr) -> pl.Expr:
    return pl.col("time").filter(firing != firing.shift(1, fill_value=False))


def _changed(name: str) -> pl.Expr:
    firing = pl.col(name)
    before = firing.shift(1, fill_value=False) & ~FIRST
    return firing != before


def _corrected(
    path: Path, rules: Rules, changes: dict[str, pl.DataFrame], over: Mapping[str, pl.Series]
) -> dict[str, pl.DataFrame]:
    """With the series whose sums came to what they are held within gone through point by point."""
    wanted = pl.concat(list(over.values())).unique() if over else pl.Series([], dtype=pl.String)
    if wanted.is_empty():
        return changes
    rows = _columns(path).filter(pl.col("host").is_in(wanted.implode())).collect().partition_by("host", as_dict=True)
    for name, hosts in over.items():
        parts = [changes[name].filter(~pl.col("host").is_in(hosts.implode()))]
        parts += [rows[host,].select("host", "time").filter(_held(rules[name], rows[host,])) for host in hosts]
        changes[name] = pl.concat(parts)
    return changes


def _held(rule: Sums, rows: pl.DataFrame) -> pl.Series:
    """Whether the firing of one series changes, by row."""
    sides = [rows.select(score).to_series().to_list() for score in rule.scores()]
    sums, before, changed = [rule.begin] * len(sides), False, []
    for scores in zip(*sides, strict=True):
        sums = [min(max(0.0, total + score), _most(rule)) for total, score in zip(sums, scores, strict=True)]
        firing = max(sums) > rule.limit
        changed.append(firing != before)
        before = firing
    return pl.Series(changed, dtype=pl.Boolean)


def episodes(changes: pl.DataFrame, later: int) -> set[tuple[str, int, int | None]]:
    """Changes of a rule paired: the host, from when it fired, to when, in microseconds and `later` than the rows."""
    by_host = changes.group_by("host", maintain_order=True).agg(pl.col("time").cast(pl.Int64) + later)
    return {
        (host, begin, end)
        for host, times in by_host.iter_rows()
        for begin, end in zip(times[::2], [*times[1::2], None], strict=False)
    }
