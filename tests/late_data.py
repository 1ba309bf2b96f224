"""Measurements that are told late and again, and which alerts stand of all that both stages said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.correlate.turns import RESTATED
from engine.model.measurement import Measurement
from engine.model.time import HOUR, Micros, format_time, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger, TriggerData, TurnName

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from engine.runtime.ports import Output

Told = tuple[Micros, Measurement]
"""When it is heard, and what."""

NEWEST = 9
"""The revision that is true."""


def patchy(
    draw: random.Random, series: Sequence[tuple[str, dict[str, str]]], begin: Micros, hours: int
) -> list[Measurement]:
    """A measurement of each series an hour, in stretches; in between it pauses. In the order of time."""
    found = []
    for number, (kpi, dimensions) in enumerate(series):
        hour = 0
        while hour < hours:
            for of_stretch in range(hour, min(hours, hour + draw.randint(1, 12))):
                value, time = float(draw.choice([1, 2, 5, 7, 12])), format_time(begin + of_stretch * HOUR)
                found.append(Measurement(kpi, time, value, dimensions, f"{number}-{of_stretch}", revision=NEWEST))
                hour = of_stretch + 1
            hour += draw.choice([0, 0, 0, draw.randint(1, 9)])
    return sorted(found, key=lambda each: each.time)


def cut_off(told: list[Told], since: Micros, until: Micros) -> list[Told]:
    """What was to be heard in that time is heard at its end, in its order."""
    return [(until if since <= at < until else at, each) for at, each in told]


def in_order(measurements: list[Measurement]) -> list[Told]:
    return [(parse_own_time(each.time), each) for each in measurements]


def told_late(measurements: list[Measurement], draw: random.Random, reach: Micros) -> list[Told]:
    """Each as it was first said and as it was corrected, in an order in which nothing comes later than `reach`."""
    said: list[Told] = []
    for each in measurements:
        wrong = draw.sample(range(NEWEST), draw.choice([0, 0, 0, 1, 2]))
        for revision in (*wrong, NEWEST):
            value = each.value if revision == NEWEST else float(draw.randint(0, 15))
            late = draw.choice([0, 0, draw.randrange(reach)])
            told = Measurement(each.kpi, each.time, value, each.dimensions, each.id, revision=revision)
            said.append((parse_own_time(each.time) + late, told))
    return sorted(said, key=lambda pair: pair[0])


class Alert(NamedTuple):
    """From when it held, when it fired and what ended it (None: it is on)."""

    first: str
    fired: str
    end: str | None


Standing = dict[tuple[str, str], set[Alert]]
"""The alerts by rule and scope."""


def standing_of(outputs: Iterable[Output], rules: Iterable[str]) -> Standing:
    """What stands of these rules, when all is over: by the newest word on each alert, for one that fires earlier or
    later than was said stays the alert that it was.
    """
    alerts: dict[tuple[str, str, str], Alert] = {}
    for output in outputs:
        if output.topic == TRIGGERS:
            data = msgspec.json.decode(output.record.value or b"", type=ReviewTrigger).data
            if data.rule in rules and isinstance(data.moved_by, TurnName):
                _note(alerts, data, data.moved_by)
    found: Standing = {}
    for (rule, scope, _), alert in alerts.items():
        found.setdefault((rule, scope), set()).add(alert)
    return found


def _note(alerts: dict[tuple[str, str, str], Alert], data: TriggerData, turn: TurnName) -> None:
    """A word on a time at which it still held is of how it began, one on a later time of how it ended."""
    place = (data.rule, data.scope, turn.opened)
    if turn.turn == "withdrawn":
        del alerts[place]
        return
    first, last = (turn.opened, turn.opened) if data.episode is None else (data.episode.first, data.episode.last)
    known = alerts.get(place) or Alert(first, turn.opened, None)
    is_later = parse_own_time(data.event_time) > parse_own_time(last)
    fired = data.event_time if turn.turn == "changed" and not is_later and data.cause == RESTATED else known.fired
    end = data.event_time if is_later else known.end
    alerts[place] = Alert(first, fired, end if data.alert == "over" else None)
