"""What every detector is: numbered values in, a score each out, and now and then an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from engine.offline.detect.trail import Reach


class Found(NamedTuple):
    """An alarm: the number of the window where it began, which way, by how much (the value's unit), and the statistic
    that passed its limit.
    """

    onset: int
    direction: Literal["up", "down"]
    size: float
    statistic: float


class Verdict(NamedTuple):
    """Of one window: its score, 1 and more exactly where there is an alarm; and what was found."""

    score: float
    found: Found | None = None


QUIET = Verdict(0.0)


class Detector(Protocol):
    """Takes every window once, in order."""

    @property
    def reach(self) -> Reach:
        """How far before an alarm its onset may lie."""

    def step(self, number: int, value: float) -> Verdict:
        """Judge window `number`; numbers only rise, those left out were empty."""
