"""How a KPI fares, said honestly: nothing is green that was not measured, judged and uncontested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.offline.catalogue.pace import date_of, has_reached, line_to
from engine.offline.catalogue.seen import fresh_for
from engine.review.numbers import number
from engine.review.spans import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.time import Micros
    from engine.offline.catalogue.pace import Line
    from engine.offline.catalogue.seen import Reading, ReviewSeen
    from engine.rules.resolved.catalogue import Kpi

Status = Literal["on track", "off track", "unjudged", "stale", "conflicting"]

STATUSES: tuple[Status, ...] = ("on track", "off track", "conflicting", "stale", "unjudged")


class Judged(NamedTuple):
    """A status, and why; `pace` is where the KPI ought to be by now, where that can be told."""

    status: Status
    why: str
    pace: float | None = None


def status_of(kpi: Kpi, reading: Reading | None, open_reviews: Sequence[ReviewSeen], now: Micros) -> Judged:
    """The first that is true: contested by an open review of a counterpart conflict, not to be judged, without a value
    that is new enough, and then whether it keeps the straight-line pace to its target, or has reached it.
    """
    contested = [review for review in open_reviews if review.conflict and review.kpi == kpi.id]
    if contested:
        first = min(contested, key=lambda review: (review.opened, review.id))
        return Judged("conflicting", f"{first.rule}: review {first.id[:8]} is open since {date_of(first.opened)}")
    line = _line(kpi, now)
    if isinstance(line, str):
        return Judged("unjudged", line)
    if reading is None:
        return Judged("stale", "no value" + ("" if kpi.publish else ": it is not published (`publish: true`)"))
    if now - reading.time > fresh_for(kpi):
        known = f"the newest value, {number(reading.value)}, is of {date_of(reading.time - 1)}"
        return Judged("stale", f"{known}: more than {duration(fresh_for(kpi))} ago", line.at(reading.time))
    return _held_against(line, kpi, reading)


def _line(kpi: Kpi, now: Micros) -> Line | str:
    if kpi.target is None:
        return "it has no target"
    if kpi.direction == "in_band":
        return "neither way is better for it, so that there is no pace to a target"
    return line_to(kpi.target, now)


def _held_against(line: Line, kpi: Kpi, reading: Reading) -> Judged:
    pace, target = line.at(reading.time), kpi.target
    way = f"from {number(line.start)} to {number(line.value)} by {date_of(line.until - 1)}"
    partly = f" ({reading.behind} of {reading.series + reading.behind} series are behind)" if reading.behind else ""
    value = f"{number(reading.value)}{partly}"
    if target is not None and has_reached(reading.value, target.value, kpi.direction):
        return Judged("on track", f"{value}: the target of {number(line.value)} is reached", pace)
    if has_reached(reading.value, pace, kpi.direction):
        return Judged("on track", f"{value}, the pace {way} asks for {number(pace)}", pace)
    return Judged("off track", f"{value}, behind the {number(pace)} that the pace {way} asks for", pace)
