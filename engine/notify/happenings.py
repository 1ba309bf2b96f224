"""How loud each happening is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from engine.model.trigger import Happening, ReviewTrigger

OPENINGS: Final[frozenset[Happening]] = frozenset({"opened", "reopened"})
COUNTED: Final[frozenset[Happening]] = OPENINGS | {"renotified", "flapping", "woken", "overdue"}
"""What calls the owner, and so counts against his noise budget."""
LOUD: Final[frozenset[Happening]] = COUNTED | {"escalated", "assigned"}
"""What calls somebody. An escalation goes past an owner who does not answer, an assignment comes at a person's wish:
neither is kept back because the owner's budget is spent.
"""
ENDINGS: Final[frozenset[Happening]] = frozenset({"alert_ended", "resolved", "withdrawn"})
"""What ends something that was told. Everything else is low-key: it is told to those who know of the review."""


def happening_of(trigger: ReviewTrigger) -> Happening:
    """`opened` of `counterpoint.review.opened.v1`."""
    return cast("Happening", trigger.type.split(".")[2])


def has_ended(trigger: ReviewTrigger) -> bool:
    """Whether nobody owes anything after it."""
    return trigger.data.state in {"resolved", "withdrawn"}
