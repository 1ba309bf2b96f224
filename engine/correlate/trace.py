"""Being told of what rules that join have judged, for whoever asks how they fare: what is said, and the state, stay as
they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.correlate.aligned import Aligned
    from engine.correlate.governance.watch import Watch
    from engine.correlate.story import Story
    from engine.correlate.track import Track
    from engine.correlate.unfold import Edge
    from engine.model.governance import Governed, GovernedKpi
    from engine.model.time import Micros
    from engine.rules.resolved.condition import Composite


class Looked(NamedTuple):
    """What one look at how a KPI is governed came to: of event time `time` (of what goes by the clock its tick),
    whether the alert was on then, and by what; nothing was `found` where it cannot be said.
    """

    time: Micros
    on: bool
    found: Governed | None
    kpis: tuple[GovernedKpi, ...] = ()


class Trace(Protocol):
    """Who is told. What is handed over is good for the time of the call."""

    def windows_are_final(self, aligned: Aligned, track: Track, indices: Iterable[int]) -> None:
        """These windows of a track, as they stand in it, are let go."""

    def moments_are_final(self, condition: Composite, story: Story, edges: Iterable[Edge]) -> None:
        """These edges of a composite, which follow what it has carried, are let go."""

    def looked(self, watch: Watch, looks: Iterable[Looked]) -> None:
        """A KPI was looked at: a second look of the same time takes the place of the first."""

    def dropped(self, rule: str, scope: str) -> None:
        """All of that is gone with the rule, or it is another rule now."""
