"""How a rule that joins fares in one scope: its state, and up to when it has judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.model.time import parse_own_time
from engine.offline.why.of_join import opened_of

if TYPE_CHECKING:
    from engine.correlate.correlator import Joined
    from engine.correlate.rings import Ring
    from engine.correlate.track import Track
    from engine.model.time import Micros

_JUDGED: Final = ("on", "off")


def state_of(joined: Joined) -> str:
    """inactive, pending, firing or recovering. Without windows nothing is pending, and nothing recovers."""
    track = joined.track
    if track is None:
        return "inactive" if opened_of(joined) is None else "firing"
    run = track.steps[max(track.steps)].after if track.steps else None
    if run is None:
        return "inactive"
    if run.fired is None:
        return "pending"
    return "firing" if run.clear is None else "recovering"


def judged_until(joined: Joined, kpi: str) -> Micros | None:
    """The end of the newest window of the rule's `kpi` that was judged; None: none was, or windows are not judged."""
    if joined.track is not None:
        return _end_of(joined.track.rings.get(kpi), _newest_judged(joined.track))
    if joined.watch is not None:
        return _end_of(joined.watch.rings.get(kpi), joined.watch.judged)
    return None


def _newest_judged(track: Track) -> int | None:
    """What could not be judged is left out, as is what still waits for a side."""
    return max((index for index, step in track.steps.items() if step.state in _JUDGED), default=None)


def _end_of(ring: Ring | None, index: int | None) -> Micros | None:
    window = None if ring is None or index is None else ring.windows.get(index)
    return None if window is None else parse_own_time(window.bounds.end)
