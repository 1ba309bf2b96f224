"""From review triggers to the days on which each rule was firing, at each place."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.reviews import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.runtime.ports import Output


def triggers_of(outputs: Iterable[Output]) -> list[ReviewTrigger]:
    return [msgspec.json.decode(o.record.value or b"", type=ReviewTrigger) for o in outputs if o.topic == TRIGGERS]


def fired_days(triggers: Iterable[ReviewTrigger], dimension: str) -> dict[str, set[tuple[str, str]]]:
    """(place, date) by rule. A review fires from the window that opened it up to the one that ended it, which is not
    counted; one that is still open, on what was heard of it.
    """
    days: dict[str, set[tuple[str, str]]] = {}
    begun: dict[str, date] = {}
    for trigger in sorted(triggers, key=lambda each: (each.data.review, each.data.ordinal)):
        data = trigger.data
        where = json.loads(data.scope[data.scope.index("{") :]) if "{" in data.scope else {}
        day = date.fromisoformat(moment(data)[:10])
        held = days.setdefault(data.rule, set())
        first = begun.setdefault(data.review, day)
        last = day if trigger.type.split(".")[2] == "resolved" else day + timedelta(days=1)
        held |= {
            (where.get(dimension, "-"), (first + timedelta(days=n)).isoformat()) for n in range((last - first).days)
        }
    return days
