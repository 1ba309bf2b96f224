"""Merged values: what the sides of a rule come to, window by window, over all series of a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.correlate.judge import aggregate
from engine.model.finding import BaselinePoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.correlate.sides import AlignedSide
    from engine.correlate.track import Track

_POINTS_PER_WINDOW = 4
"""Merged values kept per window and side before all are made afresh: more than one round of a ring needs."""


class Merged:
    """Merged values, each made once: no state, as they are made of tracks alone.

    `combine` makes the value of a side from those of its KPIs; `over` windows are merged into one; `windows` are looked
    at in a scope at once, of all sides together.
    """

    def __init__(self, combine: Callable[[Sequence[float | None]], float | None], over: int, windows: int) -> None:
        self._combine = combine
        self._over = over
        self._most = _POINTS_PER_WINDOW * windows
        self._points: dict[str, dict[tuple[int, int], BaselinePoint | None]] = {}

    def value(self, track: Track, side: AlignedSide, at: int) -> float | None:
        """That of a side at its own window index."""
        point = self.point(track, side, at)
        return None if point is None else point.value

    def point(self, track: Track, side: AlignedSide, at: int) -> BaselinePoint | None:
        """The same with where it starts."""
        points = self._points.setdefault(track.scope, {})
        if (side.number, at) not in points:
            if len(points) > self._most:
                points.clear()
            value = self._combine(self._rolled_up(track, side, at))
            points[side.number, at] = None if value is None else BaselinePoint(self._start(track, side, at), value)
        return points[side.number, at]

    def forget(self, scope: str, sides: Iterable[AlignedSide], index: int, *, entirely: bool) -> None:
        """A share has changed in window `index` of these sides; `entirely`: the scope begins earlier than it did."""
        points = self._points.get(scope, {})
        if entirely:
            points.clear()
        for side in sides:
            for each in range(index, index + self._over):
                points.pop((side.number, each), None)

    def _rolled_up(self, track: Track, side: AlignedSide, at: int) -> list[float | None]:
        """The value of each KPI of a side, merged over series and windows."""
        found: dict[str, float | None] = {}
        for kpi, aggregation in side.rolled.items():
            ring = track.rings.get(kpi)
            windows = [] if ring is None else ring.spans(at, self._over)
            parts = [share.parts for window in windows for share in window.shares.values()]
            bounds = [window.bounds for window in windows]
            found[kpi] = aggregate(parts, aggregation, bounds) if parts else None
        return side.values(found)

    def _start(self, track: Track, side: AlignedSide, at: int) -> str:
        return track.rings[side.first].spans(at, self._over)[0].bounds.start
