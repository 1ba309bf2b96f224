"""Columns of measurements put together: other rows chosen of them, several behind each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.wire.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BY_ROW = tuple(name for name in Columns._fields if name != "ids")


def chosen(columns: Columns, rows: NDArray[np.intp] | slice) -> Columns:
    """Some of the measurements, in the order of `rows`; ids stay where they are."""
    return columns._replace(**{name: getattr(columns, name)[rows] for name in _BY_ROW})


def joined(parts: Sequence[Columns]) -> Columns:
    """All measurements of the parts behind each other."""
    if len(parts) == 1:
        return parts[0]
    together = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_ROW}
    begin = 0
    for part, end in zip(parts, np.cumsum([len(part.row) for part in parts]).tolist(), strict=True):
        together["id_start"][end - len(part.row) : end] += begin
        begin += len(part.ids)
    return Columns(**together, ids=np.concatenate([part.ids for part in parts]))


def copied(columns: Columns) -> Columns:
    """The same in memory of its own."""
    return columns._replace(**{name: np.array(getattr(columns, name)) for name in Columns._fields})


def nothing() -> Columns:
    """No measurement."""
    integers, longs, octets = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.uint8)
    return Columns(
        row=integers,
        time=longs,
        value=np.empty(0, np.float64),
        id_hash=np.empty(0, np.uint64),
        revision=integers,
        flags=octets,
        offset=longs,
        item=integers,
        id_start=integers,
        id_length=integers,
        ids=octets,
    )
