"""What `for` and `keep_firing_for` make of a run of windows: pending, firing, recovering, as on single series.

Both are event time between the ends of windows. A window that cannot be judged is none: the run stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import parse_own_time

if TYPE_CHECKING:
    from engine.correlate.track import Run
    from engine.model.time import Micros


def after_hit(before: Run | None, grown: Run, index: int, end: str, for_: Micros) -> Run:
    """The run after the window `index`, which ends at `end` and holds: `grown` is `before` with that window in it. It
    fires where it has lasted `for_`; one that was recovering is firing as before.
    """
    since = end if before is None else before.since
    fired, opened = (None, end) if before is None else (before.fired, before.opened)
    if fired is None and parse_own_time(end) - parse_own_time(since) >= for_:
        fired, opened = index, end
    return msgspec.structs.replace(grown, since=since, fired=fired, opened=opened, clear=None)


def after_miss(before: Run | None, end: str, keep: Micros) -> Run | None:
    """The run after a window that ends at `end` and does not hold: over where it was pending, or has been clear for
    `keep`.
    """
    if before is None or before.fired is None:
        return None
    clear = before.clear or end
    if parse_own_time(end) - parse_own_time(clear) >= keep:
        return None
    return msgspec.structs.replace(before, clear=clear)
