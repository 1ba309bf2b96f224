"""What a measurement must be: the one place that says so, field by field."""

from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from typing import NamedTuple

import msgspec

from engine.errors import WireError
from engine.model.measurement import Measurement
from engine.wire.columns import SELF_REPORTED
from engine.wire.json_text import JsonObject, NotFinite
from engine.wire.times import parse_time

FIELDS = tuple(field.name for field in msgspec.structs.fields(Measurement))
REQUIRED = ("kpi", "time", "value")

KPI_LENGTH_MAX = 200
ID_LENGTH_MAX = 256
REVISION_MAX = 2**31 - 1

_FLAGS = {"automated": 0, "self_reported": SELF_REPORTED}


class Item(NamedTuple):
    """A valid measurement. `time` in microseconds, `id` null when it came without one, `flags` as in Columns."""

    kpi: str
    time: int
    value: float
    dimensions: dict[str, str]
    id: str | None
    source: str | None
    flags: int
    revision: int


def item_of(tree: object, dimensions_max: int) -> Item:
    """The measurement that a parsed JSON value holds; WireError with reason and path when it holds none."""
    if not isinstance(tree, JsonObject):
        raise WireError("not_an_object", f"expected a JSON object, found {kind_of(tree)}")
    _check_names(tree)
    return Item(
        kpi=_kpi(tree["kpi"]),
        time=_time(tree["time"]),
        value=number(tree["value"], "$.value"),
        dimensions=_dimensions(tree.get("dimensions", {}), dimensions_max),
        id=_id(tree.get("id")),
        source=None if tree.get("source") is None else text(tree["source"], "$.source"),
        flags=_flags(tree.get("provenance", "automated")),
        revision=_revision(tree.get("revision", 0)),
    )


def _check_names(tree: JsonObject) -> None:
    if tree.duplicate is not None:
        raise WireError("duplicate_field", f"{tree.duplicate!r} stands twice", path=f"$.{_printable(tree.duplicate)}")
    for name in tree:
        if name not in FIELDS:
            raise WireError("unknown_field", _unknown(name), path=f"$.{_printable(name)}")
    for name in REQUIRED:
        if name not in tree:
            raise WireError("missing_field", f"expected {', '.join(REQUIRED)}; {name} is not there", path=f"$.{name}")


def _unknown(name: str) -> str:
    close = get_close_matches(name, FIELDS, 1)
    mend = f"did you mean {close[0]!r}?" if close else f"a measurement has {', '.join(FIELDS)}"
    return f"no measurement has {_printable(name)!r}; {mend}"


def text(value: object, path: str) -> str:
    """A string that can be written as UTF-8; WireError `wrong_type` or `not_utf8`."""
    if not isinstance(value, str):
        raise WireError("wrong_type", f"expected a string, found {kind_of(value)}", path=path)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise WireError("not_utf8", "bytes that are not UTF-8, or half of a surrogate pair", path=path) from error
    return value


def number(value: object, path: str) -> float:
    """A finite double. Integers that no double holds exactly become the nearest one.

    WireError `wrong_type` (booleans too), `not_finite`, `out_of_range` (1e400).
    """
    if isinstance(value, NotFinite):
        raise WireError("not_finite", f"expected a finite number, found {value.written}", path=path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError("wrong_type", f"expected a number, found {kind_of(value)}", path=path)
    try:
        result = float(value)
    except OverflowError:
        result = float("inf")
    if not isfinite(result):
        raise WireError("out_of_range", "expected a number that a double can hold (below 1.8e308)", path=path)
    return result


def _kpi(value: object) -> str:
    kpi = text(value, "$.kpi")
    if not 1 <= len(kpi) <= KPI_LENGTH_MAX:
        raise WireError("unknown_kpi", f"expected 1 to {KPI_LENGTH_MAX} characters, found {len(kpi)}", path="$.kpi")
    return kpi


def _time(value: object) -> int:
    if isinstance(value, str):
        return parse_time(text(value, "$.time"))
    if isinstance(value, bool) or not isinstance(value, int | float | NotFinite):
        raise WireError("wrong_type", f"expected RFC 3339 or a number, found {kind_of(value)}", path="$.time")
    if isinstance(value, int) and not isinstance(value, bool):
        number(value, "$.time")
        return parse_time(value)
    return parse_time(number(value, "$.time"))


def _dimensions(value: object, maximum: int) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WireError("wrong_type", f"expected an object of strings, found {kind_of(value)}", path="$.dimensions")
    if isinstance(value, JsonObject) and value.duplicate is not None:
        path = f"$.dimensions.{_printable(value.duplicate)}"
        raise WireError("duplicate_field", f"{value.duplicate!r} stands twice", path=path)
    if len(value) > maximum:
        detail = f"expected at most {maximum} dimensions, found {len(value)}"
        raise WireError("too_many_dimensions", detail, path="$.dimensions")
    return {text(name, "$.dimensions"): text(entry, f"$.dimensions.{name}") for name, entry in value.items()}


def _id(value: object) -> str | None:
    if value is None:
        return None
    identifier = text(value, "$.id")
    if not 1 <= len(identifier) <= ID_LENGTH_MAX:
        raise WireError("bad_id", f"expected 1 to {ID_LENGTH_MAX} characters, found {len(identifier)}", path="$.id")
    return identifier


def _flags(value: object) -> int:
    provenance = text(value, "$.provenance")
    if provenance not in _FLAGS:
        found = _printable(provenance)
        raise WireError("bad_provenance", f"expected automated or self_reported, found {found!r}", path="$.provenance")
    return _FLAGS[provenance]


def _revision(value: object) -> int:
    whole = number(value, "$.revision")
    if whole != int(whole):
        raise WireError("wrong_type", f"expected a whole number, found {value!r}", path="$.revision")
    if whole < 0:
        raise WireError("negative_revision", f"expected 0 or more, found {value!r}", path="$.revision")
    if whole > REVISION_MAX:
        raise WireError("out_of_range", f"expected at most {REVISION_MAX}, found {value!r}", path="$.revision")
    return int(whole)


def kind_of(value: object) -> str:
    """What a JSON value is, in JSON's words."""
    if value is None:
        return "null"
    kinds: dict[type, str] = {bool: "a boolean", str: "a string", list: "an array", int: "a number", float: "a number"}
    return kinds.get(type(value), "a number that is not finite" if isinstance(value, NotFinite) else "an object")


def _printable(name: str) -> str:
    """A name of a foreign object as it can stand in a path: whole characters, not endless."""
    return name[:80].encode(errors="replace").decode()
