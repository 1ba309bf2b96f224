"""The life of a review as one table: what each event does to it in each state, and what the world is told.

A review has a state, and apart from it its alert is on, over or never was. Finding, clock and person each bring events;
what is not in the table changes nothing. `docs/reviews.md` shows this table and its picture, and is tested against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from engine.model.trigger import AlertState, Happening, ReviewState

if TYPE_CHECKING:
    from collections.abc import Iterator

Close = Literal["on_recovery", "on_answer"]
Event = Literal[
    "amend",
    "worsen",
    "end_alert",
    "resume_alert",
    "recover",
    "withdraw",
    "reopen",
    "flap",
    "acknowledge",
    "assign",
    "comment",
    "snooze",
    "answer",
    "resolve",
    "wake",
    "due",
    "escalate",
    "calm",
    "release",
]

COMMANDS: Final[frozenset[Event]] = frozenset(
    {"acknowledge", "assign", "comment", "snooze", "answer", "resolve"},
)
CLOCK: Final[frozenset[Event]] = frozenset({"wake", "due", "escalate", "calm", "release"})

OPEN: Final[tuple[ReviewState, ...]] = ("open", "acknowledged", "in_review", "snoozed", "overdue", "escalated")
"""The states in which somebody owes something."""
ENDED: Final[tuple[ReviewState, ...]] = ("resolved", "withdrawn")


class Move(NamedTuple):
    """The state after an event, what is told of it, and the alert's state after it (None: as it was)."""

    state: ReviewState
    happening: Happening
    alert: AlertState | None = None


FIRES_AGAIN = "the alert fires again"
ALERT_ENDED = "the alert ended; an answer is awaited"
FIRES_ON = "the alert fires on"
AMENDED = "the evidence changed"
WORSE = "it got worse"
CALM = "calm again"
FLAPS = "it comes and goes: only calm ends it now"
SLEPT = "the snooze ran out"
NOT_TOLD = "over before anybody was told"


def _stays(
    states: tuple[ReviewState, ...], event: Event, happening: Happening, alert: AlertState | None = None
) -> _Rows:
    return {(state, event): (Move(state, happening, alert),) for state in states}


def _goes(
    states: tuple[ReviewState, ...],
    event: Event,
    to: tuple[ReviewState, ...],
    happening: Happening,
    alert: AlertState | None = None,
) -> _Rows:
    return {(state, event): tuple(Move(each, happening, alert) for each in to) for state in states}


_Rows = dict[tuple[ReviewState, Event], tuple[Move, ...]]

_CALM_STATES: Final[tuple[ReviewState, ...]] = ("open", "acknowledged", "in_review")
_LATE: Final[tuple[ReviewState, ...]] = ("overdue", "escalated")
_AWAKE: Final[tuple[ReviewState, ...]] = (*_CALM_STATES, *_LATE)

MOVES: Final[_Rows] = {
    # What the finding does.
    **_stays((*OPEN, "resolved"), "amend", "updated"),
    **_stays(_AWAKE, "worsen", "renotified"),
    **_stays(OPEN, "end_alert", "alert_ended", "over"),
    **_stays(OPEN, "resume_alert", "alert_resumed", "on"),
    **_goes(OPEN, "recover", ("resolved",), "resolved", "over"),
    **_goes((*OPEN, "resolved"), "withdraw", ("withdrawn",), "withdrawn", "never"),
    **_goes(ENDED, "reopen", ("open",), "reopened", "on"),
    **_stays(OPEN, "flap", "flapping", "on"),
    **_goes(("resolved",), "flap", ("open",), "flapping", "on"),
    # What a person does.
    **_goes(("open",), "acknowledge", ("acknowledged",), "acknowledged"),
    **_stays(_LATE, "acknowledge", "acknowledged"),
    **_goes(_CALM_STATES, "assign", ("in_review",), "assigned"),
    **_stays((*_LATE, "snoozed"), "assign", "assigned"),
    **_stays((*OPEN, *ENDED), "comment", "commented"),
    **_goes(OPEN, "snooze", ("snoozed",), "snoozed"),
    **_goes(OPEN, "answer", ("in_review",), "answered"),
    **_stays(("resolved",), "answer", "answered"),
    **_goes(OPEN, "resolve", ("resolved",), "resolved"),
    # What the clock does.
    **_goes(("snoozed",), "wake", _CALM_STATES, "woken"),
    **_goes(_CALM_STATES, "due", ("overdue",), "overdue"),
    **_goes(_LATE, "escalate", ("escalated",), "escalated"),
    **_goes(OPEN, "calm", ("resolved",), "resolved"),
    **_stays(("open",), "release", "opened", "on"),
}
"""Every legal transition by (state, event). Only a wake has a choice: a review goes back to what its people made of
it."""


def move(state: ReviewState, event: Event, standing: ReviewState = "open") -> Move | None:
    """What `event` does to a review in `state`; None: it is not legal there.

    `standing` is where a review stands by what its people did, whatever the clock says: a wake goes back to it.
    """
    found = MOVES.get((state, event))
    if found is None:
        return None
    return next((each for each in found if each.state == standing), found[0])


def transitions() -> Iterator[tuple[ReviewState, Event, Move]]:
    """Every row of the table, for the documentation."""
    for (state, event), moves in MOVES.items():
        for each in moves:
            yield state, event, each
