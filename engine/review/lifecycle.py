"""The life of a review as a table: what each event does to it in each state, and what the world is told.

States: `firing` (the alert is on), `ended` (it is over, an answer is awaited), `resolved`, `answered` (resolved by an
answer while the alert was on), `withdrawn` (the alert never was). Every pair that is not listed changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from engine.model.trigger import Happening

State = Literal["firing", "ended", "resolved", "answered", "withdrawn"]
Event = Literal[
    "fire", "amend_firing", "withdraw_firing", "clear", "amend_clear", "withdraw_clear", "acknowledge", "answer"
]
Close = Literal["on_recovery", "on_answer"]

OPEN: frozenset[State] = frozenset({"firing", "ended"})


class Move(NamedTuple):
    """The state after an event, what is told of it (None: nothing), and why, where the event itself does not say."""

    state: State
    happening: Happening | None
    cause: str | None = None


FIRES_AGAIN = "the alert fires again"
ALERT_ENDED = "the alert ended; an answer is awaited"
FIRES_ON = "the alert fires on"
AMENDED = "the evidence changed"

_MOVES: dict[tuple[State, Event], Move] = {
    ("ended", "fire"): Move("firing", "updated", FIRES_AGAIN),
    ("resolved", "fire"): Move("firing", "updated", FIRES_AGAIN),
    ("withdrawn", "fire"): Move("firing", "updated", FIRES_AGAIN),
    ("firing", "amend_firing"): Move("firing", "updated", AMENDED),
    ("ended", "amend_firing"): Move("ended", "updated", AMENDED),
    ("resolved", "amend_firing"): Move("resolved", "updated", AMENDED),
    ("answered", "amend_firing"): Move("answered", "updated", AMENDED),
    ("withdrawn", "amend_firing"): Move("firing", "updated", FIRES_AGAIN),
    ("firing", "withdraw_firing"): Move("withdrawn", "withdrawn"),
    ("ended", "withdraw_firing"): Move("withdrawn", "withdrawn"),
    ("resolved", "withdraw_firing"): Move("withdrawn", "withdrawn"),
    ("answered", "withdraw_firing"): Move("withdrawn", "withdrawn"),
    ("firing", "clear"): Move("resolved", "resolved"),
    ("resolved", "clear"): Move("resolved", "updated", AMENDED),
    ("ended", "clear"): Move("ended", "updated", AMENDED),
    ("firing", "amend_clear"): Move("resolved", "resolved"),
    ("ended", "amend_clear"): Move("ended", "updated", AMENDED),
    ("resolved", "amend_clear"): Move("resolved", "updated", AMENDED),
    ("ended", "withdraw_clear"): Move("firing", "updated", FIRES_ON),
    ("resolved", "withdraw_clear"): Move("firing", "updated", FIRES_ON),
    ("firing", "acknowledge"): Move("firing", "updated"),
    ("ended", "acknowledge"): Move("ended", "updated"),
    ("firing", "answer"): Move("answered", "resolved"),
    ("ended", "answer"): Move("resolved", "resolved"),
}


def move(state: State, event: Event, close: Close) -> Move | None:
    """What `event` does to a review in `state`; None: nothing (a command is then illegal, a finding comes too late).

    A review that closes `on_answer` outlives its alert; only such a one can be answered.
    """
    if event == "answer" and close != "on_answer":
        return None
    found = _MOVES.get((state, event))
    if found is not None and found.happening == "resolved" and event != "answer" and close == "on_answer":
        return Move("ended", "updated", ALERT_ENDED)
    return found
