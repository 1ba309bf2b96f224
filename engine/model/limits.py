"""Everything that can grow has a limit; it stands here, with what happens when it is reached."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Defaults are for one partition unless said otherwise; reaching one is counted and named, never silent."""

    series_per_kpi_max: int = 100_000
    """A measurement of a further series is dead-lettered as `too_many_series`."""
    dimensions_max: int = 16
    """A measurement with more dimensions is dead-lettered as `too_many_dimensions`."""
    message_bytes_max: int = 1_000_000
    """A longer message is dead-lettered as `too_long`, its bytes cut to 1,000."""
    ids_per_series_max: int = 1_000_000
    """Past it the series' acceptance bound moves up to its newest event time: older input is late, never counted
    twice.
    """
    moments_per_composite_max: int = 10_000
    """Beginnings and ends of members that late data can still change, kept of one composite in one scope; past it the
    oldest become final early.
    """
    raw_points_max: int = 4_096
    """Raw points kept within the lateness of a series; past it the oldest becomes final early."""
    reviews_open_max: int = 100_000
    """A finding past it is counted and refused as `too_many_reviews`."""
    members_listed_max: int = 100
    """Members that a trigger lists; all are counted."""
    evidence_points_max: int = 400
    """Baseline points and shares that a trigger lists."""
    bottleneck_values_max: int = 5
    """Values of a dimension that a trigger lists with what they carry of a change; the others are added up."""
