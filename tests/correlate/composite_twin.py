"""Composites, slow and obvious: from the episodes of members to when the composite is on."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.rules.resolved.condition import Composite

FOREVER = float("inf")


class Episode(NamedTuple):
    """A rule fires on a series from `begin` until before `end`."""

    rule: str
    series: str
    begin: int
    end: float = FOREVER


def composite_twin(condition: Composite, episodes: Iterable[Episode]) -> list[tuple[int, float]]:
    known = list(episodes)
    times = sorted({time for each in known for time in (each.begin, each.end) if time != FOREVER})
    spans = spans_of(times, lambda time: is_so(condition, known, time))
    return alarms(condition, known, [begin for begin, _ in spans]) if condition.absent else spans


def spans_of(times: list[int], on: Callable[[int], bool]) -> list[tuple[int, float]]:
    """The stretches between times in which it is on."""
    spans: list[tuple[int, float]] = []
    for time, until in zip(times, [*times[1:], FOREVER], strict=True):
        if on(time) and spans and spans[-1][1] == time:
            spans[-1] = (spans[-1][0], until)
        elif on(time):
            spans.append((time, until))
    return spans


def is_so(condition: Composite, episodes: list[Episode], time: int) -> bool:
    there = [each for each in episodes if each.begin <= time < each.end]
    firing = {each.rule for each in there}
    if firing & set(condition.without):
        return False
    if condition.op == "sequence":
        last = [each for each in there if each.rule == condition.rules[-1]]
        return any(ends_a_sequence(condition, episodes, each.begin) for each in last)
    needed = {"all": len(condition.rules), "any": 1, "at_least": condition.count}[condition.op]
    return len(firing & set(condition.rules)) >= needed


def ends_a_sequence(condition: Composite, episodes: list[Episode], time: int) -> bool:
    """Whether any choice of earlier beginnings, one of each rule, is in order and near enough."""
    begun = [[each.begin for each in episodes if each.rule == rule] for rule in condition.rules[:-1]]
    return any(
        list(run) == sorted(set(run)) and run[-1] < time and time - run[0] <= condition.within
        for run in product(*begun)
    )


def alarms(condition: Composite, episodes: list[Episode], rises: list[int]) -> list[tuple[int, float]]:
    """After each rise that is not waited for already: nothing, or an alarm until something comes or it rises anew."""
    found = []
    answers = [each.begin for each in episodes if each.rule in condition.absent]
    while rises:
        deadline = rises[0] + condition.within
        answer = min((each for each in answers if each >= rises[0]), default=FOREVER)
        anew = min((each for each in rises if each > deadline), default=FOREVER)
        if answer <= deadline:
            rises = [each for each in rises if each > answer]
        else:
            found.append((deadline, min(answer, anew)))
            rises = [each for each in rises if (each >= anew if anew < answer else each > answer)]
    return found
