"""What a receiver is to the worker: something that is handed one notification at a time and says how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.model.time import Micros
    from engine.notify.notification import Notification


class Delivered(NamedTuple):
    """It has it. `kept`: what the receiver wants to know of reviews after a restart (None: no longer)."""

    kept: Mapping[str, bytes | None] = {}


class Failed(NamedTuple):
    """It has it not, or nobody knows (`uncertain`: the answer was lost, say); try again, not before `after`."""

    why: str
    after: Micros = 0
    uncertain: bool = True


class Refused(NamedTuple):
    """It will never take it: trying again is no use."""

    why: str


Result = Delivered | Failed | Refused


class Receiver(Protocol):
    """Somebody outside who is told."""

    @property
    def name(self) -> str:
        """By which routes, metrics and the notification log know it."""

    @property
    def at_once(self) -> int:
        """How many notifications may be on their way to it at a time; those of one review never are."""

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """Called once before everything else with what it kept."""

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        """Hand it over; `redelivered`: it may have it already. Takes at most some seconds. Raises nothing on purpose:
        what it raises is taken for `Refused`.
        """

    async def run(self) -> None:
        """What it does beside, until it is cancelled; it may return at once. Raises nothing on purpose."""

    async def close(self) -> None:
        """Let go of connections."""
