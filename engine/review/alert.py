"""The alerts that a review is about, and what a finding or judgement makes of them.

A review may see several: one comes back within a while, late data splits one or joins two. Each is known by the event
time that it began at and by the findings that say so; the review's alert is on while any of them is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.finding import Finding
    from engine.model.judgement import Judgement
    from engine.model.trigger import AlertState

AlertEvent = Literal[
    "fire", "worsen", "amend_firing", "withdraw_firing", "clear", "amend_clear", "withdraw_clear", "amend_worse"
]

ALERTS_KEPT = 8
"""Alerts of one review that late data can still reach; older ones that are over are final."""

_OF_FINDING: Final[dict[tuple[str, str], AlertEvent]] = {
    ("firing", "new"): "fire",
    ("firing", "amended"): "amend_firing",
    ("firing", "withdrawn"): "withdraw_firing",
    ("worsened", "new"): "worsen",
    ("worsened", "amended"): "amend_worse",
    ("worsened", "withdrawn"): "amend_worse",
    ("resolved", "new"): "clear",
    ("resolved", "amended"): "amend_clear",
    ("resolved", "withdrawn"): "withdraw_clear",
}
_OF_TURN: Final[dict[str, AlertEvent]] = {
    "began": "fire",
    "changed": "amend_firing",
    "ended": "clear",
    "resumed": "withdraw_clear",
    "withdrawn": "withdraw_firing",
}


class Alert(msgspec.Struct, frozen=True):
    """One alert: the event time that it `opened` at and the `finding` that says so; while it is over, the event time of
    that and the finding that `cleared` it. Joined alerts have no findings.
    """

    opened: str
    finding: str | None = None
    cleared: str | None = None
    over: str | None = None


Alerts = tuple[Alert, ...]


class Word(NamedTuple):
    """What is said of an alert: `opened` names it, `identifier` is the finding's, which may replace another."""

    said: AlertEvent
    opened: str
    event_time: str
    identifier: str | None = None
    replaces: str | None = None


def word_of_finding(finding: Finding) -> Word:
    """What a finding of one series says of its alert."""
    said = _OF_FINDING[finding.transition, finding.status]
    return Word(said, finding.opened_event_time, finding.event_time, finding.id, finding.replaces)


def word_of_judgement(judgement: Judgement) -> Word:
    """What correlation or governance says of its alert."""
    return Word(_OF_TURN[judgement.turn], judgement.opened, judgement.event_time)


def alert_state(alerts: Alerts) -> AlertState:
    """`on` while any is, `never` when none was."""
    if not alerts:
        return "never"
    return "on" if any(alert.over is None for alert in alerts) else "over"


def place_of(alerts: Sequence[Alert], word: Word) -> int | None:
    """Which alert is spoken of: by the finding that is replaced, else by when it began."""
    names = {"amend_firing": "finding", "withdraw_firing": "finding"}
    replaced = names.get(word.said, "cleared")
    for place in reversed(range(len(alerts))):
        if word.replaces is not None and getattr(alerts[place], replaced) == word.replaces:
            return place
    if word.said == "withdraw_clear" and word.replaces is not None:
        return None  # it was cleared by something else since
    return next((place for place in reversed(range(len(alerts))) if alerts[place].opened == word.opened), None)


def knows(alerts: Alerts, word: Word) -> bool:
    """Whether the very finding was taken already."""
    held = "finding" if word.said in ("fire", "amend_firing") else "cleared"
    taken = word.said in ("fire", "amend_firing", "clear", "amend_clear")
    return taken and word.identifier is not None and any(getattr(each, held) == word.identifier for each in alerts)


def applied(alerts: Alerts, word: Word) -> Alerts | None:  # noqa: PLR0911 (one for each kind)
    """The alerts after a word; None where it says nothing of them."""
    place = place_of(alerts, word)
    known = None if place is None else alerts[place]
    fresh = Alert(word.opened, word.identifier)
    match word.said:
        case "fire" if known is None:
            return _kept((*alerts, fresh))
        case "fire" if known is not None and known.over is not None:
            # Findings tell apart what begins at one event time; joined alerts are known by nothing else.
            return _put(alerts, place, fresh) if word.identifier is None else _kept((*alerts, fresh))
        case "amend_firing" if known is None:
            return _kept((*alerts, fresh)) if not alerts else None
        case "amend_firing" if known is not None:
            return _put(alerts, place, msgspec.structs.replace(known, opened=word.opened, finding=word.identifier))
        case "withdraw_firing" if known is not None:
            return tuple(each for each in alerts if each is not known)
        case "clear" | "amend_clear" if known is not None:
            over = msgspec.structs.replace(known, cleared=word.identifier, over=word.event_time)
            return _put(alerts, place, over)
        case "withdraw_clear" if known is not None and known.over is not None:
            return _put(alerts, place, msgspec.structs.replace(known, cleared=None, over=None))
        case "worsen" | "amend_worse" if known is not None and known.over is None:
            return alerts
    return None


def _put(alerts: Alerts, place: int | None, alert: Alert) -> Alerts:
    return tuple(alert if number == place else each for number, each in enumerate(alerts))


def _kept(alerts: Alerts) -> Alerts:
    if len(alerts) <= ALERTS_KEPT:
        return alerts
    final = next((each for each in alerts if each.over is not None), alerts[0])
    return tuple(each for each in alerts if each is not final)


def ended_at(alerts: Alerts) -> str | None:
    """When the last of them ended, in event time; None while one is on, or where there was none."""
    times = [alert.over for alert in alerts]
    ended = [time for time in times if time is not None]
    return max(ended, key=parse_own_time) if ended and len(ended) == len(times) else None
