"""What must be found in a load, worked out from its columns by brute force: no engine code, no batches, no order of
kernels.

Sums are taken in log order, as everybody takes them, so that means agree to the last bit.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ingest_load import START
from ingest_messages import host
from ingest_rules import JOBS, Limit, Shift, Silent, declared

from engine.model.time import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ingest_load import Load
    from ingest_rules import Rules
    from numpy.typing import NDArray

    Grid = NDArray[np.float64]
    """A row a series, a column a minute, NaN where nothing came."""
    Verdict = Callable[[int, bool], bool | None]
    """Whether the minute breaches, given whether the rule fires; None where nothing can be said."""


class Found(NamedTuple):
    """One transition: which rule did what on which host, at which event time, on which value (None: silence)."""

    rule: str
    transition: str
    host: str
    time: int
    value: float | None


def answer(load: Load, rules: Rules, *, with_ticks: bool = True) -> Counter[Found]:
    """Everything that the rules find. Repeats do not count; without ticks nobody is known to be silent."""
    once = ~load.repeat
    means = minute_means(load, once)
    found: Counter[Found] = Counter()
    for rule in rules:
        if isinstance(rule, Limit):
            found.update(_limit(rule, means))
        elif isinstance(rule, Shift):
            found.update(_shift(rule, means))
        elif with_ticks:
            found.update(_silent(rule, load, once, declared(rules, load.hosts)))
    return found


def minute_means(load: Load, taken: NDArray[np.bool_]) -> Grid:
    """The mean of every minute of every series over the measurements that are `taken`."""
    place = load.series[taken].astype(np.int64) * load.minutes + load.minute[taken]
    count = np.bincount(place, minlength=load.hosts * load.minutes)
    total = np.bincount(place, load.value[taken], load.hosts * load.minutes)
    with np.errstate(invalid="ignore"):
        return (total / count).reshape(load.hosts, load.minutes)


def _limit(rule: Limit, means: Grid) -> Iterator[Found]:
    past = means > rule.at if rule.op == "above" else means < rule.at
    sign = 1 if rule.op == "above" else -1
    for series in np.flatnonzero(past.any(axis=1)).tolist():
        row = means[series].tolist()

        def verdict(minute: int, firing: bool, row: list[float] = row) -> bool | None:  # noqa: FBT001
            limit = rule.recover_at if firing and rule.recover_at is not None else rule.at
            return None if row[minute] != row[minute] else sign * row[minute] > sign * limit

        yield from _walk(rule, series, row, verdict)


def _shift(rule: Shift, means: Grid) -> Iterator[Found]:
    if means.shape[1] <= rule.median_of:
        return
    windows = np.lib.stride_tricks.sliding_window_view(means, rule.median_of, axis=1)[:, :-1]
    usual = np.full(means.shape, np.nan)
    usual[:, rule.median_of :] = np.median(windows, axis=2)
    change = (means - usual) / np.abs(usual)
    past = np.abs(change) > rule.percent / 100
    for series in np.flatnonzero(past.any(axis=1)).tolist():
        known, breach = (~np.isnan(change[series])).tolist(), past[series].tolist()

        def verdict(
            minute: int,
            _firing: bool,  # noqa: FBT001
            known: list[bool] = known,
            breach: list[bool] = breach,
        ) -> bool | None:
            return breach[minute] if known[minute] else None

        yield from _walk(rule, series, means[series].tolist(), verdict)


def _walk(rule: Limit | Shift, series: int, row: list[float], verdict: Verdict) -> Iterator[Found]:
    """Minute after minute with the state written out."""
    firing, since = False, None
    for minute, value in enumerate(row):
        breach = verdict(minute, firing)
        if breach is None:
            continue
        end = START + (minute + 1) * MINUTE
        if breach:
            since = minute if since is None else since
            if not firing and minute - since >= rule.hold:
                firing = True
                yield Found(rule.id, "firing", host(series), end, value)
        else:
            if firing:
                yield Found(rule.id, "resolved", host(series), end, value)
            firing, since = False, None


def _silent(rule: Silent, load: Load, once: NDArray[np.bool_], known: int) -> Iterator[Found]:
    """Tick m stands behind the measurements of minute m - 1; a silence counts from the first tick after the last one.

    After the last minute one more passes in which nobody speaks.
    """
    place = load.series[once].astype(np.int64) * load.minutes + load.minute[once]
    places, firsts = np.unique(place, return_index=True)
    spoken = np.zeros((load.hosts, load.minutes + 1), bool)
    spoken[np.divmod(places, load.minutes)] = True
    first_of = dict(zip(places.tolist(), np.flatnonzero(once)[firsts].tolist(), strict=True))
    for series in np.flatnonzero(~spoken[:known].all(axis=1)).tolist():
        waiting, firing = 0, False
        for minute, heard in enumerate(spoken[series].tolist()):
            if heard and firing:
                first = first_of[series * load.minutes + minute]
                yield Found(rule.id, "resolved", host(series), int(load.time[first]), float(load.value[first]))
            if heard:
                waiting, firing = minute + 1, False
            elif not firing and minute + 1 - waiting >= rule.after:
                firing = True
                yield Found(rule.id, "firing", host(series), START + (minute + 1) * MINUTE, None)


def simple_answer(load: Load, taken: Iterable[int]) -> Counter[Found]:
    """What job (a) done in the simplest way finds in the measurements `taken`, by their places in log order.

    Repeats count again, a minute is judged when the next one of its series begins, and nothing ever closes the last.
    """
    (limit,) = (rule for rule in JOBS["a"] if isinstance(rule, Limit))
    found: Counter[Found] = Counter()
    state: dict[int, list[float]] = {}
    firing: set[int] = set()
    for place in taken:
        series, minute, value = int(load.series[place]), int(load.minute[place]), float(load.value[place])
        held = state.setdefault(series, [minute, 0.0, 0])
        if minute > held[0]:
            mean, end = held[1] / held[2], START + (int(held[0]) + 1) * MINUTE
            if (mean > limit.at) != (series in firing):
                firing ^= {series}
                transition = "firing" if mean > limit.at else "resolved"
                found[Found(limit.id, transition, host(series), end, mean)] += 1
            held[:] = [minute, 0.0, 0]
        held[1] += value
        held[2] += 1
    return found
