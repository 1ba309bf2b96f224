"""A first limit for a rule, from what the windows of a sample held: robust, so that an incident in it does not move it.

Level and scatter are the median and the median absolute deviation (Hampel 1974), which half of the windows may be wrong
before they break; 1.4826 makes the latter comparable with a standard deviation.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import ceil, floor
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from engine.model.time import DAY, MINUTE, Micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.propose.naming import Direction

DEVIATIONS = 4.0
_TO_SIGMA = 1.4826
SHARE_MAX = 0.05
FEW = 3
"""If more windows than this share, and more than a few, are past the limit, it moves out until they are not."""
ALIKE = 2.0
"""Series whose levels differ by a larger factor cannot share one limit."""
WINDOWS_MIN = 8
"""What is usual takes at least so many windows."""
CHANGE_MIN, CHANGE_MAX = 0.1, 2.0
"""Shares of the usual level below and above which a relative change tells nothing: noise, or a level near zero."""
_DIGITS = 2


class Usual(NamedTuple):
    """What a change is held against: the median of the last `of` windows, same times of days, or same weekdays."""

    same: str
    of: int


class Limit(NamedTuple):
    """The proposed condition: a threshold at `low` and `high` (either may be null), or with `usual` a change by them.

    `level` is the median of all windows, `recover_at` the hysteresis. `why` says how it was chosen.
    """

    low: float | None
    high: float | None
    recover_at: float | None
    level: float
    usual: Usual | None
    why: str


def limit_of(windows: Sequence[Mapping[int, float]], direction: Direction, every: Micros) -> Limit:
    """A limit for one series or several, each a value by window number."""
    values = [value for held in windows for value in held.values()]
    levels = [median(held.values()) for held in windows if held]
    lowest, highest = min(map(abs, levels)), max(map(abs, levels))
    if highest > ALIKE * lowest and min(values) >= 0:
        usual = _usual(windows, every)
        changes = [change for held in windows for change in _changes(held, usual, every)]
        if len(changes) >= WINDOWS_MIN and DEVIATIONS * _sigma(changes) <= CHANGE_MAX:
            return _change(changes, usual, direction, median(values))
    return _threshold(values, levels, direction)


def _threshold(values: Sequence[float], levels: Sequence[float], direction: Direction) -> Limit:
    level, sigma = median(values), _sigma(values)
    low = high = None
    whys = []
    if direction != "higher_is_better":
        high, why = _upper(values, level, sigma)
        whys.append(why)
    if direction != "lower_is_better":
        mirrored, why = _upper([-value for value in values], -level, sigma)
        low = _above_zero(-mirrored, values, level)
        whys.append(why)
    one = [each for each in (low, high) if each is not None]
    recover_at = _recovery(level, one[0]) if len(one) == 1 else None
    differ = max(map(abs, levels)) > ALIKE * min(map(abs, levels))
    beside = "; the series differ in level: look at them one by one" if differ else ""
    chosen = " and ".join(dict.fromkeys(whys))
    why = f"{len(values)} windows, median {level:.4g}, robust deviation {sigma:.3g}: {chosen}{beside}"
    return Limit(low, high, recover_at, level, None, why)


def _upper(values: Sequence[float], level: float, sigma: float) -> tuple[float, str]:
    """Above what is unusual, and what that rests on."""
    limit, why = level + DEVIATIONS * sigma, f"{DEVIATIONS:g} deviations away"
    if sigma == 0:
        limit, why = level + max(abs(level) * 0.5, 1.0), "half as much again, for they hardly differ"
    if sum(value > limit for value in values) > max(FEW, SHARE_MAX * len(values)):
        limit, why = sorted(values)[floor(len(values) * (1 - SHARE_MAX))], "past 95 of 100 windows"
    return rounded(limit, up=True), why


def _above_zero(low: float, values: Sequence[float], level: float) -> float:
    """Values that are never negative have no limit at or below zero: then below the lowest, or a tenth of usual."""
    lowest = min(values)
    if low > 0 or lowest < 0:
        return low
    return rounded(lowest * 0.9 if lowest > 0 else level / 10, up=False)


def _recovery(level: float, limit: float) -> float | None:
    """Half-way back."""
    middle = rounded((level + limit) / 2, up=limit < level)
    return middle if min(level, limit) < middle < max(level, limit) else None


def _usual(windows: Sequence[Mapping[int, float]], every: Micros) -> Usual:
    longest = max(max(held) - min(held) + 1 for held in windows) * every
    if every == DAY:
        return Usual("weekdays", 4) if longest >= 42 * DAY else Usual("windows", 7)
    days = longest >= 10 * DAY and every >= 15 * MINUTE
    return Usual("days", 7) if days else Usual("windows", 8)


def steps_back(usual: Usual, every: Micros) -> int:
    """Windows between one that counts as earlier and the next."""
    return {"windows": 1, "days": DAY // every, "weekdays": 7 * DAY // every}[usual.same]


def _changes(held: Mapping[int, float], usual: Usual, every: Micros) -> list[float]:
    """Of each window, by how much it differs from what is usual for it, as a share of that."""
    step, found = steps_back(usual, every), []
    for index, value in held.items():
        earlier = [held[index - k * step] for k in range(1, usual.of + 1) if index - k * step in held]
        if len(earlier) == usual.of and (level := median(earlier)) != 0:
            found.append((value - level) / abs(level))
    return found


def _change(changes: Sequence[float], usual: Usual, direction: Direction, level: float) -> Limit:
    up = down = None
    if direction != "higher_is_better":
        up = _share(changes)
    if direction != "lower_is_better":
        down = min(_share([-change for change in changes]), 0.9)
    sigma = _sigma(changes)
    why = (
        f"the series differ in level, so each is held against itself; {len(changes)} windows changed by "
        f"{sigma:.0%} (robust deviation): {DEVIATIONS:g} of them, to the next 5 %"
    )
    return Limit(down, up, None, level, usual, why)


def _share(changes: Sequence[float]) -> float:
    limit = max(CHANGE_MIN, DEVIATIONS * _sigma(changes))
    if sum(change > limit for change in changes) > max(FEW, SHARE_MAX * len(changes)):
        limit = sorted(changes)[floor(len(changes) * (1 - SHARE_MAX))]
    return ceil(limit * 20 - 1e-9) / 20


def _sigma(values: Sequence[float]) -> float:
    middle = median(values)
    return _TO_SIGMA * median(abs(value - middle) for value in values)


def rounded(value: float, *, up: bool) -> float:
    """To two digits, to the next above or below."""
    exact = Decimal(repr(float(value)))
    step = Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)
    return float(exact.quantize(step, rounding=ROUND_CEILING if up else ROUND_FLOOR)) if exact else 0.0
