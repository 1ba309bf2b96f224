"""What each governance condition says of whole lists of weeks up to one, written from the page of the docs: which limit
it does not pass first, and the number that is held against it.
"""

from __future__ import annotations

from typing import NamedTuple

import naive_governance as naive

from engine.model.time import DAY, SECOND, Micros, parse_own_time


class Shut(NamedTuple):
    gate: str
    number: float
    limit: float


def too_few(seen: int, count: int) -> Shut | None:
    return Shut("warm_up", seen, count) if seen < count else None


def always_green(values: list[float], target: float, count: int) -> Shut | None:
    if len(values) < count:
        return too_few(len(values), count)
    seen = values[-count:]
    clear = min(seen) - target
    usual = naive.middle(seen)
    wanted = 3.0 * 1.4826 * naive.middle([abs(value - usual) for value in seen])
    return Shut("within_bounds", clear, 0.0) if clear <= 0 else Shut("minimum_effect", clear, wanted)


def green_over_falling(outcome: list[float], board: dict[float, list[float]], count: int, green: float) -> Shut | None:
    if len(outcome) < count:
        return too_few(len(outcome), count)
    cells = [value >= target for target, values in board.items() for value in values[-count:]]
    share = len([cell for cell in cells if cell]) / len(cells)
    if share < green:
        return Shut("within_bounds", share, green)
    seen = outcome[-count:]
    slope = naive.theil_sen(seen)
    z = naive.trend_z(seen, slope)
    if z > -naive.Z:
        return Shut("within_bounds", z, -naive.Z)
    return Shut("minimum_effect", slope * (count - 1) / abs(naive.middle(seen)), -0.1)


def vanity(leading: list[float], outcome: list[float], count: int, lag: int, below: float) -> Shut | None:
    if len(leading) < count:
        return too_few(len(leading), count)
    first, last = len(leading) - count, len(leading)
    moved = [leading[at] - leading[at - 1] for at in range(first + 1, last)]
    followed = [outcome[at] - outcome[at - 1] for at in range(first + 1, last)]
    highs = [naive.rank_correlation(moved[: len(moved) - by], followed[by:])[1] for by in range(lag + 1)]
    return Shut("within_bounds", max(highs), below)


def restated_in_favour(
    values: list[float], said: list[naive.Said], count: int, near: set[int] | None, least: int
) -> Shut | None:
    if len(values) < count:
        return too_few(len(values), count)
    last = len(values) - 1
    span = list(range(last - count + 1, last + 1))
    told = [_tally(values, said, span, last, least)]
    if near is not None:
        told.append(_tally(values, said, [window for window in span if window in near], last, least))
    return max(told, key=lambda each: each[0])[1]


def _tally(
    values: list[float], said: list[naive.Said], windows: list[int], last: int, least: int
) -> tuple[int, Shut | None]:
    """How many limits are passed, and what is said of the next one."""
    moved: dict[int, float] = {}
    for each in said:
        if each.at <= last and each.window in windows:
            moved[each.window] = moved.get(each.window, 0.0) + each.change
    better = len([change for change in moved.values() if change > 0])
    if len(moved) < least:
        return 0, Shut("within_bounds", len(moved), least)
    if better / len(moved) < 0.75:
        return 1, Shut("within_bounds", better / len(moved), 0.75)
    chance = naive.at_least_by_chance(better, len(moved))
    if chance > 0.001:
        return 2, Shut("within_bounds", chance, 0.001)
    gained = sum(moved.values()) / sum(abs(values[window]) for window in windows)
    return (3, Shut("minimum_effect", gained, 0.01)) if gained < 0.01 else (4, None)


def set_and_forget(looked: Micros, now: Micros, after: Micros) -> Shut | None:
    """`looked`: when somebody last looked at it."""
    age = now - looked
    return Shut("within_bounds", age / SECOND, after / SECOND) if age < after else None


def unproven_milestone(
    values: list[float], milestones: list[tuple[str, float, str | None]], now: Micros
) -> Shut | None:
    """`milestones`: until when, what proves them, and since when they are reported as done."""
    middle = naive.middle(values[-7:])
    waiting = []
    for by, proof, done in milestones:
        if middle >= proof:
            continue
        if (done is not None and day(done) <= now) or day(by) + DAY <= now:
            return None
        waiting.append((by, proof))
    by, proof = min(waiting) if waiting else milestones[0][:2]
    return Shut("within_bounds", middle, proof)


def day(date: str) -> Micros:
    return parse_own_time(f"{date}T00:00:00Z")
