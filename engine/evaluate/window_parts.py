"""Of a row of results: its window, what is merged of it, and which measurements it holds."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import msgspec

from engine.model.aggregation import kind_of
from engine.model.records import Ids, Parts, WindowBounds
from engine.model.sketch import Buckets
from engine.model.time import format_time

if TYPE_CHECKING:
    from engine.kernels.layout import Tables


def bounds_of(result: Any) -> WindowBounds:
    """The bounds of a result's window."""
    start, end = int(result["start"]), int(result["end"])
    return WindowBounds(start=format_time(start), end=format_time(end), index=int(result["index"]))


def parts_of(tables: Tables, aggregation: str, window: Any) -> Parts:
    """The mergeable parts of a result's window, with those that only its aggregation needs."""
    parts = Parts(
        count=int(window["count"]),
        sum=float(window["sum"]),
        min=float(window["min"]),
        max=float(window["max"]),
        nonzero=int(window["nonzero"]),
        last=float(window["last"]),
        last_time=format_time(int(window["last_time"])),
    )
    more = _more_of(tables, kind_of(aggregation), window)
    return msgspec.structs.replace(parts, **more) if more else parts


def _more_of(tables: Tables, kind: str, window: Any) -> dict[str, Any]:
    if kind == "deviation":
        return {"squares": float(window["extra"])}
    if kind not in ("quantile", "distinct"):
        return {}
    sketch = tables.result_sketches[int(window["sketch"])]
    keys = sketch["key"][: sketch["used"]].tolist()
    if kind == "distinct":
        return {"smallest": tuple(f"{key:016x}" for key in keys)}
    return {"buckets": Buckets(int(sketch["level"]), tuple(keys), tuple(sketch["count"][: sketch["used"]].tolist()))}


def ids_of(window: Any) -> Ids:
    """Which measurements a cell holds."""
    return Ids(
        count=int(window["count"]),
        hash_sum=str(int(window["hash_sum"])),
        first=text_of(window["first_id"], window["first_length"]),
        last=text_of(window["last_id"], window["last_length"]),
    )


def text_of(data: Any, length: Any) -> str:
    """An id as kept; a character cut in two at the 23rd byte is replaced."""
    return bytes(data[: int(length)]).decode(errors="replace")


def number_of(value: Any) -> float | None:
    """None where there is none."""
    number = float(value)
    return None if isnan(number) else number
