"""The parts of a window: what must hold between them, and the value that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.correlate.judge import aggregate as merged
from engine.kernels import layout
from engine.kernels.layout import AGGREGATIONS
from engine.kernels.windows import aggregate
from engine.model.aggregation import kind_of
from engine.model.sketch import error_of
from engine.offline.explain.account import Check, holds, same, shown
from engine.offline.explain.case import micros
from engine.review.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.records import Parts


def sound_parts(parts: Parts, path: str, start: str, end: str) -> Iterator[Check]:
    """What must hold between the parts of any aggregate of a window."""
    last_time = micros(parts.last_time)
    within = micros(start) <= last_time < micros(end)
    yield holds(f"{path}.count", parts.count, true=parts.count > 0, why="a window that was judged holds something")
    yield holds(f"{path}.last_time", parts.last_time, true=within, why="it lies in the window")
    if parts.count == 1:
        for name in ("sum", "min", "max"):
            yield same(f"{path}.{name}", getattr(parts, name), parts.last)
    ordered = parts.min <= parts.last <= parts.max
    yield holds(f"{path}.last", parts.last, true=ordered, why="it lies between the least and the greatest")
    nonzero = 0 <= parts.nonzero <= parts.count
    yield holds(f"{path}.nonzero", parts.nonzero, true=nonzero, why="not more than there are measurements")


def aggregated(parts: Parts, aggregation: str, seconds: float) -> float:
    """The KPI's value by the kernel that made it; of a rate over so many seconds, of sketches as stage 2 reads them."""
    cell = np.zeros(1, layout.CELL)
    for name in ("count", "sum", "min", "max", "nonzero", "last"):
        cell[name] = getattr(parts, name)
    kind = kind_of(aggregation)
    if kind == "rate":
        cell["extra"] = parts.sum / seconds
    elif kind == "deviation":
        cell["extra"] = parts.squares or 0.0
    elif kind in ("quantile", "distinct"):
        cell["extra"] = merged([parts], aggregation, ())
    return float(aggregate(cell[0], AGGREGATIONS.index(kind)))


def formula(parts: Parts, aggregation: str, seconds: float) -> str:
    """How the aggregate comes of its parts, in words."""
    if parts.buckets:
        off = percent(error_of(parts.buckets.level))
        return f"{aggregation}, from {len(parts.buckets.keys)} buckets (off by {off} of itself at most)"
    words = {
        "mean": f"mean = sum / count = {shown(parts.sum)} / {parts.count}",
        "share": f"share = non-zero / count = {parts.nonzero} / {parts.count}",
        "rate": f"rate = sum / seconds of the window = {shown(parts.sum)} / {shown(seconds)}",
        "deviation": f"deviation = root of (squares / count) = root of ({shown(parts.squares or 0.0)} / {parts.count})",
        "distinct": f"distinct values, from {len(parts.smallest or ())} hashes",
    }
    return words.get(aggregation, aggregation)
