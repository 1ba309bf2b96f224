"""The state of a rule that joins in one scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.offline.why.of_join import opened_of

if TYPE_CHECKING:
    from engine.correlate.correlator import Joined
    from engine.correlate.track import Run


def state_of(joined: Joined) -> str:
    """inactive, pending, firing or recovering. Without windows nothing is pending, and nothing recovers."""
    track = joined.track
    if track is None:
        return "inactive" if opened_of(joined) is None else "firing"
    return state_after(track.steps[max(track.steps)].after if track.steps else None)


def state_after(run: Run | None) -> str:
    """The same after a window that left this run."""
    if run is None:
        return "inactive"
    if run.fired is None:
        return "pending"
    return "firing" if run.clear is None else "recovering"
