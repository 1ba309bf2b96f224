"""What the governance conditions say of whole lists of windows: slow, plain, and written from the pages of the docs."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN = 3.0
Z = 3.1
"""Of `sensitivity: normal`."""


class Turns(NamedTuple):
    """Windows at whose end an alert begins and ends, by number."""

    begins: list[int]
    ends: list[int]


def turns(verdicts: dict[int, bool | None]) -> Turns:
    """What begins and ends, of a verdict for each window: true begins, false ends, None leaves it as it is."""
    found, on = Turns([], []), False
    for window in sorted(verdicts):
        if verdicts[window] is True and not on:
            found.begins.append(window)
            on = True
        elif verdicts[window] is False and on:
            found.ends.append(window)
            on = False
    return found


def middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def always_green(values: list[float], target: float, count: int) -> dict[int, bool | None]:
    """Higher is better."""
    verdicts: dict[int, bool | None] = {}
    for last in range(count - 1, len(values)):
        seen = values[last - count + 1 : last + 1]
        clear = min(value - target for value in seen)
        usual = middle(seen)
        scatter = 1.4826 * middle([abs(value - usual) for value in seen])
        if clear > 0 and clear >= MARGIN * scatter:
            verdicts[last] = True
        else:
            verdicts[last] = None if clear > 0 and clear >= MARGIN * scatter / 2 else False
    return verdicts


def green_over_falling(
    outcome: list[float], board: dict[float, list[float]], count: int, green: float = 0.9, fall: float = 0.1
) -> dict[int, bool | None]:
    """Higher is better of all; `board` by target."""
    verdicts: dict[int, bool | None] = {}
    for last in range(count - 1, len(outcome)):
        span = slice(last - count + 1, last + 1)
        cells = [value >= target for target, values in board.items() for value in values[span]]
        if sum(cells) / len(cells) < green:
            verdicts[last] = False
            continue
        slope = theil_sen(outcome[span])
        lost = -slope * (count - 1) / abs(middle(outcome[span]))
        if lost < fall / 2 or (z := trend_z(outcome[span], slope)) > -Z / 2:
            verdicts[last] = False
        else:
            verdicts[last] = True if z <= -Z and lost >= fall else None
    return verdicts


class Said(NamedTuple):
    """A correction: told in week `at`, it changes the window `window` by `change`."""

    at: int
    window: int
    change: float


def restated_in_favour(
    values: list[float],
    said: list[Said],
    count: int,
    near: set[int] | None = None,
    *,
    late: Sequence[Said] = (),
    share: float = 0.75,
    least: int = 10,
    effect: float = 0.01,
    chance: float = 0.001,
) -> dict[int, bool | None]:
    """Higher is better; `values` are those before any correction, `near` the windows that are also looked at alone;
    `late` is what came late, which is none.
    """
    verdicts: dict[int, bool | None] = {}
    for last in range(count - 1, len(values)):
        span = list(range(last - count + 1, last + 1))
        told = []
        for windows in [span] if near is None else [span, [window for window in span if window in near]]:
            moved = {}
            for each in said:
                if each.at <= last and each.window in windows:
                    moved[each.window] = moved.get(each.window, 0.0) + each.change
            moved = {window: change for window, change in moved.items() if abs(change) > 1e-6}
            better = len([change for change in moved.values() if change > 0])
            part = better / len(moved) if moved else 0.0
            came = sum(each.change for each in late if each.at <= last and each.window in windows)
            whole = sum(abs(values[window]) for window in windows) + came
            gained = sum(moved.values()) / whole if windows else 0.0
            if len(moved) >= least and part >= share and at_least_by_chance(better, len(moved)) <= chance:
                told.append(True if gained >= effect else None if gained >= effect / 2 else False)
            else:
                half = len(moved) >= least / 2 and part >= (share + 0.5) / 2 and gained >= effect / 2
                told.append(None if half else False)
        verdicts[last] = True if True in told else None if None in told else False
    return verdicts


def at_least_by_chance(heads: int, throws: int) -> float:
    """By Pascal's triangle: of all ways to throw a coin so often, how many show as many heads."""
    row = [1]
    for _ in range(throws):
        row = [1, *[left + right for left, right in pairwise(row)], 1]
    return sum(row[heads:]) / sum(row)


def theil_sen(values: list[float]) -> float:
    slopes = []
    for later, value in enumerate(values):
        for earlier in range(later):
            slopes += [(value - values[earlier]) / (later - earlier)]
    return middle(slopes)


def trend_z(values: list[float], slope: float) -> float:
    """Mann-Kendall's Z, its variance widened for what neighbours have in common."""
    count, score = len(values), 0
    for later, value in enumerate(values):
        for earlier in range(later):
            score += (value > values[earlier]) - (value < values[earlier])
    variance = count * (count - 1) * (2 * count + 5) / 18
    for value in set(values):
        same = sum(other == value for other in values)
        variance -= same * (same - 1) * (2 * same + 5) / 18
    if score == 0 or variance <= 0:
        return 0.0
    rest = [value - slope * place for place, value in enumerate(values)]
    mean = sum(rest) / count
    size = sum((value - mean) ** 2 for value in rest)
    alike = sum((rest[place] - mean) * (rest[place + 1] - mean) for place in range(count - 1)) / size if size else 0.0
    alike = max(0.0, min(0.9, alike))
    return (score - math.copysign(1, score)) / math.sqrt(variance * (1 + alike) / (1 - alike))


def vanity(leading: list[float], outcome: list[float], count: int, lag: int, below: float) -> dict[int, bool | None]:
    """Both better in the same direction."""
    verdicts: dict[int, bool | None] = {}
    for last in range(count - 1, len(leading)):
        first = last - count + 1
        moved = [leading[at] - leading[at - 1] for at in range(first + 1, last + 1)]
        followed = [outcome[at] - outcome[at - 1] for at in range(first + 1, last + 1)]
        rhos = [rank_correlation(moved[: len(moved) - by], followed[by:]) for by in range(lag + 1)]
        if any(rho >= below for rho, _ in rhos):
            verdicts[last] = False
        else:
            verdicts[last] = True if all(high < below for _, high in rhos) else None
    return verdicts


def rank_correlation(one: list[float], other: list[float]) -> tuple[float, float]:
    """(Spearman's rho, the upper end of its 95 % interval); equal values share the middle of their ranks."""
    pairs, left, right = len(one), ranks(one), ranks(other)
    mean = (pairs + 1) / 2
    together = sum((a - mean) * (b - mean) for a, b in zip(left, right, strict=True))
    rho = together / math.sqrt(sum((a - mean) ** 2 for a in left) * sum((b - mean) ** 2 for b in right))
    return rho, math.tanh(math.atanh(rho) + 1.959963984540054 * math.sqrt(1.06 / (pairs - 3)))


def ranks(values: list[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + 1 + bisect_right(ordered, value)) / 2 for value in values]
