"""What the gate knows of a review: enough to judge its next trigger, without the trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.trigger import ReviewTrigger
from engine.notify.happenings import OPENINGS, happening_of, has_ended
from engine.notify.notification import Held, Why, labels_of

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet


class Known(msgspec.Struct):
    """A review as its newest trigger left it. `firing`: open, and its alert is on: it may inhibit others.

    `told`: somebody heard that it opened. `why` and `by`: what holds it back, or kept its opening from being told.
    `pending`: the newest trigger, where one that calls somebody was held back; it goes out not before `ripe`, and not
    while anything holds it. `waiting`: triggers kept back whole until `ripe`, because an inhibitor may be on its way.
    """

    review: str
    rule: str
    opened: str
    ordinal: int
    labels: dict[str, str]
    dimensions: dict[str, str]
    inhibited_by: tuple[str, ...] = ()
    firing: bool = False
    ended: bool = False
    told: bool = False
    why: Why | None = None
    by: str = ""
    pending: ReviewTrigger | None = None
    waiting: list[ReviewTrigger] = []
    ripe: int = 0

    def hold(self, trigger: ReviewTrigger, why: Why, by: str = "") -> Held:
        """Say that a trigger of it is held back."""
        self.why, self.by = why, by
        return Held(trigger.id, self.review, why, by)

    def tell(self) -> None:
        """It is being told: nothing is held back any more."""
        self.told, self.why, self.by, self.pending = True, None, "", None

    def release(self) -> None:
        """Forget what was held back."""
        self.why, self.by, self.pending = None, "", None


def first_known(trigger: ReviewTrigger) -> Known:
    """A review met for the first time; when its opening lies before the log's beginning, it counts as told."""
    data = trigger.data
    late = happening_of(trigger) not in OPENINGS and not data.historical
    known = Known(data.review, data.rule, data.opened, 0, {}, {}, told=late)
    if not late and data.historical:
        known.why = "historical"
    return known


def note(known: Known, trigger: ReviewTrigger, rules: RuleSet | None) -> None:
    """Bring it up to its newest trigger; one that comes back after it had ended is to be told anew."""
    data = trigger.data
    ended = has_ended(trigger)
    if known.ended and not ended:
        known.told = False
        known.release()
    known.rule, known.opened, known.ordinal = data.rule, data.opened, data.ordinal
    known.labels, known.dimensions = labels_of(trigger), data.dimensions
    rule = None if rules is None else rules.rule_by_id.get(data.rule)
    known.inhibited_by = () if rule is None else rule.inhibited_by
    known.ended, known.firing = ended, not ended and data.alert == "on"


def without_evidence(trigger: ReviewTrigger) -> ReviewTrigger:
    """The trigger as it is kept while it is held back: who, what and when, but not what it rests on."""
    data = msgspec.structs.replace(trigger.data, evidence=None, episode=None, excerpt={}, digests={})
    return msgspec.structs.replace(trigger, data=data)
