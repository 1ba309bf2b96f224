"""A judgement: what correlation has to say to reviews about one rule on one scope, at one barrier."""

from __future__ import annotations

import msgspec

from engine.model.finding import Episode
from engine.model.trigger import AnyEvidence, Turn


class Judgement(msgspec.Struct, frozen=True):
    """One turn in the life of a joined or grouped alert.

    `began` opens, `changed` amends what is on or was on, `ended` clears, `resumed` takes an `ended` back,
    `withdrawn` says
    that it never was. `opened` is the event time that names this alert among others of the same rule and scope;
    `event_time` belongs to this turn. `taking_part` are the KPIs whose owners the alert concerns, beside the rule's
    own. `size` is how bad it is, where that can be counted: members that fire, or the worst effect (0: it cannot).
    `again`: it is worth another word, whatever the rule's `renotify` says.
    """

    rule: str
    scope: str
    rule_set: str
    turn: Turn
    opened: str
    event_time: str
    evidence: AnyEvidence | None
    taking_part: tuple[str, ...] = ()
    episode: Episode | None = None
    cause: str | None = None
    size: float = 0.0
    again: bool = False
