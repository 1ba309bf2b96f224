"""What a merged window is made of, for the evidence: its windows, the share of each series, and who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.records import WindowBounds
from engine.model.trigger import ReconciledSide, SeriesShare

if TYPE_CHECKING:
    from engine.correlate.aligned import Aligned
    from engine.correlate.judge import Judged
    from engine.correlate.rings import RingWindow
    from engine.correlate.sides import AlignedSide
    from engine.correlate.track import Track
    from engine.model.limits import Limits


def window_of(aligned: Aligned, track: Track, index: int) -> WindowBounds:
    """The merged window, from the start of the first to the end of the last; of the rule's own KPI where it came."""
    for side in aligned.aligned:
        for kpi in side.rolled:
            windows = windows_of(aligned, track, kpi, index + side.lag)
            if windows:
                return WindowBounds(windows[0].bounds.start, windows[-1].bounds.end, index)
    raise AssertionError("a window that was judged has at least one side")


def windows_of(aligned: Aligned, track: Track, kpi: str, at: int) -> list[RingWindow]:
    """The windows of a KPI that are merged into its window index `at`; none where that has not come."""
    ring = track.rings.get(kpi)
    if ring is None or at not in ring.windows:
        return []
    return ring.spans(at, aligned.over) or [ring.windows[at]]


def shares_of(aligned: Aligned, track: Track, side: AlignedSide, at: int) -> tuple[SeriesShare, ...]:
    """What each series put into a side, by KPI, window and series."""
    return tuple(
        SeriesShare(
            series=series,
            window=window.bounds,
            revision=share.revision,
            parts=share.parts,
            ids_count=share.ids.count,
            ids_hash_sum=share.ids.hash_sum,
            ids_first=share.ids.first,
            ids_last=share.ids.last,
        )
        for kpi in side.rolled
        for window in windows_of(aligned, track, kpi, at)
        for series, share in sorted(window.shares.items())
    )


def missing_of(aligned: Aligned, track: Track, side: AlignedSide, at: int) -> tuple[str, ...]:
    """The series that sent something for the windows before and nothing for this one."""
    rings = [track.rings[kpi] for kpi in side.rolled if kpi in track.rings]
    return tuple(sorted({series for ring in rings for series in ring.missing(at, aligned.members)}))


def share_of_side(
    aligned: Aligned, track: Track, side: AlignedSide, index: int, judged: Judged | None, limits: Limits
) -> ReconciledSide:
    """A side for the evidence: its value, what it was added up from, and who is missing."""
    shares = shares_of(aligned, track, side, index)
    windows = {each.bounds.index: each.bounds for kpi in side.rolled for each in windows_of(aligned, track, kpi, index)}
    return ReconciledSide(
        kpis=side.kpis,
        value=None if judged is None else judged.value,
        count=sum(share.parts.count for share in shares),
        windows=tuple(windows[number] for number in sorted(windows)),
        shares=shares[: limits.evidence_points_max],
        missing=missing_of(aligned, track, side, index)[: limits.members_listed_max],
        shares_count=len(shares),
    )
