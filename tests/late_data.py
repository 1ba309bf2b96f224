"""Measurements that are told late and again, and which alerts stand of all that both stages said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.correlate.turns import RESTATED
from engine.model.measurement import Measurement
from engine.model.time import Micros, parse_own_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger, TriggerData, TurnName

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from engine.runtime.ports import Output

Told = tuple[Micros, Measurement]
"""When it is heard, and what."""

NEWEST = 9
"""The revision that is true."""


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
